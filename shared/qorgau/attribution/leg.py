"""What a leg is: something a case waits for, with the facts that begin and end the waiting and whose duty it is.

The legs themselves are rows of `table.py`; here is only their form.
"""

from typing import Annotated, Literal

from pydantic import Field

from qorgau.rules import Line
from qorgau.rules.parts import Part, Text

Why = Literal["done", "passed"]


class Ending(Line):
    """A fact that ends a wait, if it agrees with the fact that began it in the fields `same`.

    `final`: once for all, so that a begin dated at or after it begins nothing; clocks of two agencies differ. `why`:
    what was waited for came (`done`), or the case went on without it (`passed`), which is no longer a reason to wait.
    """

    same: tuple[Text, ...] = ()
    final: bool = False
    why: Why = "done"


class Already(Part):
    """A begin counts only if there was no such `fact` since the last fact of one of the types in `since`."""

    fact: Text
    since: tuple[Text, ...]


class Leg(Part):
    """One row of the table. `duty` says whose time it is, as `duty_kinds` of the policy do, at each instant of it
    (`duty.py`); `about` names the field by which an agency's facts are told apart from those on other things. A leg
    that no fact begins is the case's whole time: what is left when nothing else is waited for."""

    name: Text
    waits_for: Text
    begins: tuple[Line, ...] = ()
    ends: tuple[Ending, ...] = ()
    duty: Annotated[tuple[Text, ...], Field(min_length=1)]
    about: str | None = None
    unless: Already | None = None
