"""Worked examples of the protection gap (F9, section 8): orders that end before a suspended hearing takes place."""

from tests.worked.form import Example, Row, fact, flag, withdrawal

AS_OF = "2026-07-10 09:00"


def served(time: str = "2026-06-01 09:00", order_id: str = "o1") -> Row:
    """An order that ends after 30 days: by default on 1 July at 09:00."""
    return fact(f"s-{order_id}", "order.served", time, order_id=order_id)


def suspended(time: str, recorded: str | None = None, id: str = "h") -> Row:
    return fact(id, "court.hearing_suspended", time, recorded, protocol_id="p1", hearing_id="h1", tolls_term=False)


def dated(id: str, time: str, scheduled_for: object, hearing_id: str = "h2") -> Row:
    return fact(
        id, "court.hearing_scheduled", time, protocol_id="p1", hearing_id=hearing_id, scheduled_for=scheduled_for
    )


def held(time: str, recorded: str | None = None) -> Row:
    return fact("e", "court.hearing_held", time, recorded, protocol_id="p1", hearing_id="h2")


def gap(raised: str, cleared: str | None) -> Row:
    outcome = "cleared" if cleared else "open"
    return flag("F9", "flag", raised, cleared, outcome, key="p1", due_at=None, severity="critical")


def example(name: str, facts: list[Row], *flags: Row, as_of: str = AS_OF) -> Example:
    return Example(name=name, rules=("F9",), as_of=as_of, facts=facts, flags=flags)


EXAMPLES = [
    example(
        "a date after the end of the order is a gap as soon as it is known, until it is moved before that end",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-06T10:00:00+05:00"),
            dated("n2", "2026-06-12 10:00", "2026-06-30T10:00:00+05:00", "h3"),
            held("2026-06-30 11:00"),
        ],
        gap("2026-06-08 10:00", "2026-06-12 10:00"),
    ),
    example(
        "without a date the gap begins with the end of the order, and a date after it changes nothing",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-07-03 10:00", "2026-07-06T10:00:00+05:00"),
            held("2026-07-06 10:20"),
        ],
        gap("2026-07-01 09:00", "2026-07-06 10:20"),
    ),
    example(
        "an order that lasts to the very date leaves a gap only if the hearing is not held by then",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-01T09:00:00+05:00"),
            held("2026-07-01 09:00", "2026-07-01 12:00"),
        ],
        gap("2026-07-01 09:00", "2026-07-01 12:00"),
    ),
    example(
        "one microsecond after the end is after it",
        [served(), suspended("2026-06-05 10:00"), dated("n1", "2026-06-08 10:00", "2026-07-01T09:00:00.000001+05:00")],
        gap("2026-06-08 10:00", None),
    ),
    example(
        "a date that is none, and one given before the suspension, are no dates",
        [
            served(),
            dated("n0", "2026-06-04 10:00", "2026-07-06T10:00:00+05:00", "h1"),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-06T10:00:00"),
        ],
        gap("2026-07-01 09:00", None),
    ),
    example(
        "a date is gone with the cancellation of its hearing, not of another one, and with the next suspension",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-06T10:00:00+05:00"),
            fact("c0", "court.hearing_cancelled", "2026-06-09 10:00", protocol_id="p1", hearing_id="h1"),
            fact("c1", "court.hearing_cancelled", "2026-06-10 10:00", protocol_id="p1", hearing_id="h2"),
            dated("n2", "2026-06-15 10:00", "2026-07-08T10:00:00+05:00", "h3"),
            suspended("2026-06-20 10:00", id="h-again"),
        ],
        gap("2026-06-08 10:00", "2026-06-10 10:00"),
        gap("2026-06-15 10:00", "2026-06-20 10:00"),
        gap("2026-07-01 09:00", None),
    ),
    example(
        "of two orders the later end counts, a revoked one has none, and without a served one there is no gap",
        [
            suspended("2026-06-02 10:00"),
            dated("n1", "2026-06-03 10:00", "2026-07-05T10:00:00+05:00"),
            served("2026-06-04 09:00", "o1"),
            served("2026-06-08 09:00", "o2"),
            fact("v", "order.revoked", "2026-06-20 09:00", order_id="o2", reason="court_decision"),
        ],
        gap("2026-06-04 09:00", "2026-06-08 09:00"),
        gap("2026-06-20 09:00", None),
    ),
    example(
        "an extension that reaches the date ends the gap; withdrawn, the gap is there again",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-06T10:00:00+05:00"),
            (longer := fact("x", "order.extended", "2026-06-10 10:00", order_id="o1", days=6)),
            withdrawal(longer, "2026-06-11 10:00"),
        ],
        gap("2026-06-08 10:00", "2026-06-10 10:00"),
        gap("2026-06-11 10:00", None),
    ),
    example(
        "an order that police say has ended earlier ended then",
        [
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-06-28T10:00:00+05:00"),
            fact("x", "order.expired", "2026-06-25 10:00", order_id="o1"),
        ],
        gap("2026-06-25 10:00", None),
    ),
    example(
        "special requirements since the service of the order fill the gap, earlier ones do not",
        [
            fact("q0", "court.special_requirements_set", "2026-05-20 10:00", months=3),
            served(),
            suspended("2026-06-05 10:00"),
            dated("n1", "2026-06-08 10:00", "2026-07-06T10:00:00+05:00"),
            fact("q1", "court.special_requirements_set", "2026-06-15 10:00", months=3),
        ],
        gap("2026-06-08 10:00", "2026-06-15 10:00"),
    ),
    example(
        "a suspension recorded late waits for the rest of its batch",
        [
            served("2026-05-01 09:00"),
            suspended("2026-06-05 10:00", "2026-06-07 10:00"),
        ],
        gap("2026-06-07 10:10", None),
    ),
    example(
        "a hearing that went on without being held still stands, a decision ends it, a closed case has no gap",
        [
            served("2026-05-01 09:00"),
            suspended("2026-06-05 10:00"),
            fact("u", "court.hearing_resumed", "2026-06-06 10:00", protocol_id="p1", hearing_id="h1"),
            fact("z", "case.closed", "2026-06-08 10:00", reason="handed_over"),
            fact("o", "case.reopened", "2026-06-09 10:00", reason="error"),
            fact("d", "court.decision_issued", "2026-06-10 10:00", protocol_id="p1", sanction="fine"),
        ],
        gap("2026-06-05 10:00", "2026-06-08 10:00"),
        gap("2026-06-09 10:00", "2026-06-10 10:00"),
    ),
]
