"""Silences as flags: what one feed has told, and what it tells as it is heard, or not, by an instant. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from intake.telling import with_changes
from qorgau.explaining.form import Explanation, about, dated, explanation, up_and_down
from qorgau.explaining.wording import LocalTime, length
from qorgau.feeds.case import silence_case
from qorgau.feeds.silence import Feed
from qorgau.instants import MICROSECOND, format_duration
from qorgau.rows import Change, FlagRow
from qorgau.rules import Silence
from qorgau.shell.documents import Stored

_BASIS = {"set": "as was set for it", "learned": "as its own history says"}


def told(stored: Stored, feed: Feed, rule: Silence, until: int, emitted_at: int) -> Stored:
    """The document of a feed at an instant; its instants are those of the log. Repeating it changes nothing.

    The flag begins when the silence becomes too long and ends with the next thing heard, or when the feed is none any
    more. A silence that was over before anybody looked is not told.
    """
    for _ in range(2):
        # What was heard meanwhile ends one silence, and the next one may have begun since.
        stored = _next(stored, feed, rule, until, emitted_at)
    return stored


def silent_now(feed: Feed, until: int) -> int | None:
    """When the feed was heard last before the silence of an instant, None where there is none."""
    return None if feed.silent_since(until) is None else feed.heard


def _next(stored: Stored, feed: Feed, rule: Silence, until: int, emitted_at: int) -> Stored:
    record = stored.record
    up = next((row for row in record.flags if row.cleared_at is None), None)
    silent = silent_now(feed, until)
    # What is dated ahead is not heard yet.
    if feed.heard > until or silent == (None if up is None else up.start_at):
        return stored
    earliest = silent if record.as_of is None else record.as_of + MICROSECOND
    if up is not None:
        at = max(_ended_at(feed, up, until), earliest or 0)
        cleared: tuple[Change, FlagRow] = ("cleared", replace(up, cleared_at=at, outcome="cleared"))
        return with_changes(stored, [cleared], at, emitted_at, {})
    at = max(feed.expected_by or 0, earliest or 0)
    row = _raised(feed, rule, at)
    evidence = {**stored.extra.get("evidence", {}), row.id: {"within": feed.within, "basis": feed.basis}}
    noted = {"agency": feed.agency, "region": feed.region, "evidence": evidence}
    return with_changes(stored, [("raised", row)], at, emitted_at, noted)


def _ended_at(feed: Feed, up: FlagRow, until: int) -> int:
    if up.start_at is None or feed.heard > up.start_at:
        return feed.heard
    # Nothing was heard: it is none any more, or more silence is expected of it than before.
    return min(until, feed.gone_at)


def _raised(feed: Feed, rule: Silence, at: int) -> FlagRow:
    return FlagRow(
        case=silence_case(feed.agency, feed.region),
        rule=rule.id,
        key="",
        level="flag",
        severity=rule.severity,
        # What is known of it ends here.
        start_at=feed.heard,
        due_at=None,
        raised_at=at,
        region=feed.region,
        agency=feed.agency,
    )


def explain(row: FlagRow, evidence: Mapping[str, Any], rule: Silence, local: LocalTime, as_of: int) -> Explanation:
    """Why a flag of F10 is or was up, as of any other flag; nobody's facts are in it."""
    heard = row.raised_at if row.start_at is None else row.start_at
    steps = [dated("start", heard, f"{row.agency} was heard last on {local(heard)}, in {row.region}.", local)]
    within = evidence.get("within")
    if within is None:
        said = "It was told before the database was lost, and what was expected was not kept."
        steps.append({"step": "condition", "kind": "silence", "sentence": said})
    else:
        said = f"It is silent for {length(within)} at most, {_BASIS[evidence['basis']]}."
        shown = {"expected_within": format_duration(within), "basis": evidence["basis"]}
        steps.append({"step": "condition", "kind": "silence", **shown, "sentence": said})
    steps.append(dated("raised", row.raised_at, f"The flag was raised on {local(row.raised_at)}.", local))
    at = as_of
    if row.cleared_at is not None:
        at = row.cleared_at
        steps.append(dated("cleared", at, f"It was cleared on {local(at)}: heard again, or no feed any more.", local))
    told_of = {"rule": about(rule, None), "facts": {"start": None, "end": None}, "steps": steps}
    return explanation(row, at, up_and_down(row, rule, local), **told_of)
