"""The vault: the only place that may hold who a person is, encrypted under a key for each case.

`form.py` what a desk may say of people; `keys.py` and its providers, `sealing.py` the encryption; `blind.py` how the
same pair is recognised without plaintext; `records.py` and `access.py` the document of a case and who may read what
of it; `duplicates.py` and `retention.py` what is proposed to people, and what has to go; `book.py` the database.
"""
