"""Named points at which a test lets a process die as by kill -9, to show that nothing is lost there (QORGAU_CRASH_AT).

The state is the module's: a death takes the whole process, so there is nothing to hand on. Unarmed, a point costs a
comparison with None.
"""

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

# In the order of the corridor: records read; facts and flags saved; flag events acknowledged by Kafka; the outbox
# emptied; everything done but the positions not yet committed.
POINTS = ("after-load", "after-save", "after-publish", "after-clear", "before-commit")
# On the way of an audit entry: written, not yet flushed; in the chain for good; forgotten where it waited.
AUDIT_POINTS = ("after-audit-write", "after-audit-append", "after-audit-clear")
# Where lines of an audit chain are let go: the checkpoint is written; told to Kafka; a portion of the lines is gone.
LETTING_POINTS = ("after-checkpoint", "after-checkpoint-anchor", "after-letting-go")
# On the way of a report: its pair noted, nothing else; written, not yet flushed; safe, not yet answered or told; in the
# log; told to whoever compares it with others; no longer waiting.
VAULT_POINTS = (
    *("before-vault-write", "after-vault-write", "after-vault-flush"),
    *("before-vault-publish", "after-vault-publish", "before-vault-clear", "after-vault-clear"),
)
_FORM = re.compile(r"(?P<name>[a-z-]+)(:(?P<passes>[1-9]\d{0,8}))?(@(?P<marker>.+))?")


@dataclass(slots=True)
class _Armed:
    name: str
    left: int
    marker: Path | None


_armed: _Armed | None = None


def arm(where: str | None) -> None:
    """Die at the point `NAME`, or `NAME:N` at its N-th pass; with `@FILE` only if FILE can be created then.

    The file makes it happen once: neither the process that is started again nor another replica dies as well.
    None disarms. Raises ValueError for anything else.
    """
    global _armed
    _armed = None if where is None else _parse(where)


def check(where: str) -> str:
    """The same text, if it can be armed; raises ValueError."""
    _parse(where)
    return where


def crash_point(name: str) -> None:
    """Pass one of the points above."""
    if _armed is not None and _armed.name == name:
        _pass(_armed)


def _parse(where: str) -> _Armed:
    form = _FORM.fullmatch(where)
    names = (*POINTS, *AUDIT_POINTS, *LETTING_POINTS, *VAULT_POINTS)
    if form is None or form["name"] not in names:
        raise ValueError(f"it is NAME, NAME:N or NAME:N@FILE, with one of the names {', '.join(names)}")
    marker = None if form["marker"] is None else Path(form["marker"])
    return _Armed(form["name"], int(form["passes"] or 1), marker)


def _pass(armed: _Armed) -> None:
    armed.left -= 1
    if armed.left > 0:
        return
    arm(None)
    if armed.marker is not None:
        try:
            armed.marker.open("x").close()
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
