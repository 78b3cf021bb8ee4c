"""The rows of a policy as a lawyer would say them, in English: who, what, until when. Pure.

`lines.py` has what all rows are made of, `deadlines.py` and `flags.py` the rows; the languages are `titles.py`.
"""

from qorgau.policy_words.deadlines import deadline_in_words
from qorgau.policy_words.flags import flag_in_words
from qorgau.policy_words.lines import ladder_in_words

__all__ = ["deadline_in_words", "flag_in_words", "ladder_in_words"]
