"""The vault: the only place that may hold who a person is, encrypted under a key for each case.

What a desk may say of people: `form.py`, with `people.py`, `classes.py` and, for comparing, `canonical.py`.
How it is locked: `sealing.py`, `packing.py`; the keys: `keys.py`, `keyfile.py`, `transit.py`, `locking.py`.
How people are recognised without plaintext: `blind.py`, `pairs.py`; what is proposed to a person: `duplicates.py`.
What a case holds and what is done with it: `records.py`, `dealing.py`; who may: `access.py`; how long: `retention.py`.
How it is written down, and the one write: `storing.py`, `opening.py`, `book.py`.
"""
