"""How long the vault keeps what: the policy that is shipped, files refused with their line, and what goes when."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from intake.vault.classes import CALLER, CLASSES, CONTACT, IDENTITY, NARRATIVE, SAFE_CONTACT
from intake.vault.keys import Wrapped
from intake.vault.records import CaseKey, Marks, Report, VaultRecord
from intake.vault.retention import endings, marks_of, retained, tally
from qorgau.audit.letting import audit_period
from qorgau.embedded.data import default_retention
from qorgau.facts import Fact
from qorgau.instants import DAY
from qorgau.policy import PolicyRefused
from qorgau.retention import AUDIT, Retention, load_retention, parse_retention

NOW = 1_775_000_000_000_000
TEXT = default_retention().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def policy() -> Retention:
    return load_retention(default_retention(), CLASSES)


def record(*fields: str, opened: int = NOW) -> VaultRecord:
    chosen = fields or ("survivor.name", "survivor.phone", "survivor.safe_contact", "narrative", "caller.phone")
    report = Report("r1", "crisis-centre/KZ-75", opened, "x", dict.fromkeys(chosen, b"sealed"))
    return VaultRecord("c1", CaseKey("d1", Wrapped("k1", b"x")), (report,), marks=Marks(opened))


def fact(name: str, at: int, kind: str = "survivor.contacted", **data: str) -> Fact:
    return Fact(name, "coordinator/KZ-75", kind, at, at, "c1", {"region": "KZ-75", **data})


def test_the_shipped_policy_has_every_class_with_a_basis_and_a_source(policy: Retention) -> None:
    assert policy.classes.keys() == CLASSES | {AUDIT}
    for row in policy.classes.values():
        # Honest: the text of no law was read for it.
        assert row.basis != "statutory"
        assert row.source
    assert policy.classes[SAFE_CONTACT].lines[0].after == 30 * DAY


def test_the_safe_contact_goes_first_and_identity_last(policy: Retention) -> None:
    order = [end.name for end in endings(policy, Marks(NOW, NOW, NOW), sorted(CLASSES))]
    assert order.index(SAFE_CONTACT) < order.index(CONTACT) < order.index(IDENTITY)


def test_a_class_goes_at_the_end_of_its_first_period_and_not_a_microsecond_before(policy: Retention) -> None:
    closed = Marks(None, NOW, NOW)
    end = NOW + 30 * DAY
    before = retained(policy, record(), closed, end - 1)
    assert (before.kept, before.due, before.audit) == (record().kept, end, ())
    after = retained(policy, before, closed, end)
    assert after.kept == {IDENTITY, CONTACT, NARRATIVE}
    assert (after.due, after.key is not None) == (NOW + 365 * DAY, True)
    lines = [(line.action, line.basis, line.classes, line.at) for line in after.audit]
    assert lines == [
        ("period_ended", "caller/0 of qorgau-retention 1.0.0", (CALLER,), end),
        ("period_ended", "safe_contact/0 of qorgau-retention 1.0.0", (SAFE_CONTACT,), end),
    ]
    assert retained(policy, after, closed, end) == after


def test_a_case_nobody_closes_ends_by_its_newest_fact(policy: Retention) -> None:
    quiet = Marks(None, NOW, None)
    assert retained(policy, record(), quiet, NOW + 365 * DAY - 1).kept == record().kept - {CALLER}
    assert SAFE_CONTACT not in retained(policy, record(), quiet, NOW + 365 * DAY).kept
    still = Marks(None, NOW + 200 * DAY, None)
    assert SAFE_CONTACT in retained(policy, record(), still, NOW + 365 * DAY).kept
    # Of a case of which no fact came back from the log, the opening counts.
    assert retained(policy, record(), Marks(), NOW + 2_000 * DAY).key is None


def test_with_the_last_class_the_key_is_destroyed(policy: Retention) -> None:
    at = NOW + 1_095 * DAY
    gone = retained(policy, record(), Marks(None, NOW, NOW), at)
    assert (gone.key, gone.erased_at, gone.due, gone.kept) == (None, at, None, frozenset())
    assert gone.destroyed == dict.fromkeys(record().kept, at)
    assert retained(policy, gone, Marks(None, NOW, NOW), at + 1).audit == gone.audit


def test_a_case_that_is_opened_again_keeps_what_is_left(policy: Retention) -> None:
    closed = [fact("f1", NOW), fact("f2", NOW + 1, "case.closed", reason="decided")]
    assert marks_of(closed) == Marks(None, NOW + 1, NOW + 1)
    again = [*closed, fact("f3", NOW + 2, "case.reopened", reason="new_report")]
    assert marks_of(reversed(again)) == Marks(None, NOW + 2, None)
    assert marks_of([*again, fact("f4", NOW + 3, "case.closed", reason="decided")]).closed == NOW + 3


def test_a_closing_that_was_withdrawn_counts_as_never_said() -> None:
    facts = [fact("f1", NOW), fact("f2", NOW + 1, "case.closed", reason="error")]
    withdrawn = fact("w1", NOW + 2, "fact.withdrawn", fact_id="f2", reason="entered_in_error")
    assert marks_of([*facts, withdrawn]) == Marks(None, NOW + 2, None)
    other = replace(withdrawn, source="102/KZ-75")
    assert marks_of([*facts, other]).closed == NOW + 1
    assert marks_of([]) == Marks()


def test_lines_of_the_audit_outlive_what_they_tell_of(policy: Retention) -> None:
    longest = max(line.after for name, row in policy.classes.items() if name != AUDIT for line in row.lines)
    period = audit_period(policy)
    assert period.after >= longest
    assert (period.line, period.policy, period.version) == ("audit/0", "qorgau-retention", "1.0.0")


def test_a_run_says_what_it_did(policy: Retention) -> None:
    before = [record(), record(opened=NOW - 3_000 * DAY), record("narrative")]
    after = [retained(policy, each, Marks(closed=NOW - 30 * DAY), NOW) for each in before]
    assert tally(before, after) == {CALLER: 2, CONTACT: 1, IDENTITY: 1, "key": 1, NARRATIVE: 1, SAFE_CONTACT: 2}


REFUSED = {
    "empty": ("", "retention is missing or no map"),
    "a list": ("- 1\n", "classes is missing or no map"),
    "no yaml": ("classes: [", "not YAML"),
    "another part": (TEXT + "\nmore: 1\n", "more: there is no such part"),
    "twice": (TEXT + "\nclasses: {}\n", "stands here twice"),
    "a class left out": (TEXT.replace("  narrative:", "  narration:"), "narrative is missing"),
    "a class we do not have": (TEXT.replace("  narrative:", "  narration:"), "narration: the vault has no such class"),
    "no period": (TEXT.replace("P30D", "P1M", 1), "not a duration of the form"),
    "an hour": (TEXT.replace("P30D", "PT1H", 1), "at least a day"),
    "two centuries": (TEXT.replace("P30D", "P73050D", 1), "at most a century"),
    "another start": (TEXT.replace("from: last_fact", "from: birthday", 1), "input should be"),
    "another field": (TEXT.replace("{after: P30D,", "{after: P30D, note: x,", 1), "there is no such field"),
    "no source": (TEXT.replace("    source: Needed to call back", "    sauce: Needed to call back"), "is missing"),
    "another basis": (TEXT.replace("basis: good_practice", "basis: habit", 1), "input should be"),
    "only when closed": (TEXT.replace("      - {after: P365D, from: last_fact}\n", "", 1), "that nobody closes"),
    "twice from the same": (TEXT.replace("from: last_fact", "from: case_closed", 1), "counts twice"),
    "a line's own time": (TEXT.replace("from: last_fact", "from: written", 1), "for the audit alone"),
    "audit from the case": (TEXT.replace("from: written}", "from: opened}"), "counts from written"),
    "audit too short": (TEXT.replace("P2555D", "P255D"), "is shorter than what it tells of"),
    "no lines": (
        TEXT.replace("    lines:\n      - {after: P2555D, from: written}", "    lines: []"),
        "at least 1 item",
    ),
    "no version": (TEXT.replace('  version: "1.0.0"\n', ""), "version: is missing"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_right_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        parse_retention(text, CLASSES)
    told = "\n".join(map(str, refused.value.problems))
    assert says in told
    assert all(problem.line >= 1 for problem in refused.value.problems)


def test_the_line_is_that_of_the_field() -> None:
    broken = TEXT.replace("from: last_fact", "from: birthday", 1)
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if "birthday" in text)
    with pytest.raises(PolicyRefused) as refused:
        parse_retention(broken, CLASSES)
    assert [problem.line for problem in refused.value.problems] == [line]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyRefused, match="not a text"):
        load_retention(tmp_path / "r.yaml")


def test_the_comments_of_the_file_name_the_starts_there_are() -> None:
    starts = {line["from"] for row in yaml.safe_load(TEXT)["classes"].values() for line in row["lines"]}
    for start in starts | {"opened"}:
        assert f"#     {start} " in TEXT
