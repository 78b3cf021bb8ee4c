"""The corridor around the heart: rounds, storage, take-over, clocks, the life of a process; `tracker.py` leads it."""
