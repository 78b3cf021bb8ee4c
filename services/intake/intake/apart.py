"""Flags that are about nobody's case: which part of intake takes them back, and which explains them."""

from collections.abc import Sequence
from typing import Any

from intake.toldbook import ToldBook
from qorgau.errors import NotFound
from qorgau.feeds.case import is_silence
from qorgau.front.flagbook import FlagEntry
from qorgau.front.reading import Elsewhere
from qorgau.identity.sender import Sender
from qorgau.shell.composition import Remember


def remembering(surges: ToldBook, silences: ToldBook) -> Remember:
    """What the flags topic tells of nobody's case goes to the book it came from."""

    async def remember(entries: Sequence[FlagEntry]) -> None:
        await surges.remember([entry for entry in entries if not is_silence(entry.item["case"])])
        await silences.remember([entry for entry in entries if is_silence(entry.item["case"])])

    return remember


def explained_by(first: Elsewhere, then: Elsewhere) -> Elsewhere:
    """The explanation of a flag by the first, or else by the other. Raises NotFound."""

    async def explained(flag_id: str, sender: Sender) -> dict[str, Any]:
        try:
            return await first(flag_id, sender)
        except NotFound:
            return await then(flag_id, sender)

    return explained
