"""How an explanation is made; `explain.py` beside this folder is its door."""
