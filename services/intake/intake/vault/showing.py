"""How broken glass and the lines of who did what are shown. Pure."""

from typing import Any

from intake.vault.access import Grant
from intake.vault.records import Entry
from qorgau.instants import format_instant


def grant_shown(case: str, grant: Grant) -> dict[str, Any]:
    """A grant of a case, with its review."""
    review = grant.review
    return {
        "id": grant.id,
        "case": case,
        "agency": grant.agency,
        "reason": grant.reason,
        "from": format_instant(grant.at),
        "until": format_instant(grant.until),
        "review": None
        if review is None
        else {"verdict": review.verdict, "at": format_instant(review.at), "agency": review.agency},
    }


def line_shown(line: Entry) -> dict[str, Any]:
    """One line of what was done with the persons of a case."""
    return {
        "at": format_instant(line.at),
        "action": line.action,
        "agency": line.agency,
        "subject": line.subject,
        "purpose": line.purpose,
        "basis": line.basis,
        "classes": list(line.classes),
        "detail": line.detail,
    }
