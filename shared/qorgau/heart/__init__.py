"""The working parts of the pure heart; `assess.py`, `record.py` and `plan.py` beside this folder are its doors."""
