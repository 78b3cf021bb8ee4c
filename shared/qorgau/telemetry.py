"""Metrics of one process and thin tracing: codes, counts and times only, never a case, a path as sent, or a text.

One registry a process, handed on as an argument. What is open or late is recomputed from stored state by whoever
calls `show_stored`; nothing here counts it up and down.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry import propagate, trace
from opentelemetry.trace import Link, Span, SpanKind
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From the target of one round (300 ms) up to an outage somebody has to look at.
_LAG_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1, 2.5, 10, 60, 600, 3600)
_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Whatever is not on this list does not get into a span, however it came about.
_ATTRIBUTES = frozenset(
    (
        *("http.request.method", "http.route", "http.response.status_code"),
        *("messaging.system", "messaging.destination.name", "messaging.batch.message_count"),
        *("qorgau.service", "qorgau.instance", "qorgau.outcome"),
    )
)
_tracer = trace.get_tracer("qorgau")


@dataclass(frozen=True, slots=True)
class Stored:
    """How many rows of a kind a service's database shows: flags by level, deadlines by state, cases by state."""

    name: str
    labels: tuple[str, ...]
    count: float


_CHANNEL = ("region", "channel", "period")
_CELL = ("region", "unit", "grade", "area", "band")


class _StoredState(Collector):
    """The last looks at the database, whole: what is no longer there is no longer shown."""

    families: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "qorgau_flags_open": ("Open flags, recomputed from the database", ("rule", "level", "severity", "region")),
        "qorgau_deadlines": ("Deadlines running and breached, recomputed from the database", ("rule", "state")),
        "qorgau_breaches": ("Open breaches by whether they are certain", ("rule", "region", "certainty")),
        "qorgau_cases": ("Cases by state, recomputed from the database", ("state",)),
        "qorgau_parked": ("Facts that wait for a reference, for room, or for a case to be their source's", ("reason",)),
        "qorgau_parked_overdue": ("Facts that have waited so for more than an hour", ("reason",)),
        "qorgau_reports_to_usual_ratio": ("Reports of the newest day or week, 1 is usual", _CHANNEL),
        "qorgau_reports_to_usual_p": ("Chance of so many or so few if nothing has changed", _CHANNEL),
        "qorgau_parity_difference_seconds": (
            "Median delay of domestic-violence less that of quarantine calls, with its interval",
            (*_CELL, "bound"),
        ),
        "qorgau_parity_p": ("Chance of so large a difference if there is none, corrected for all cells (Holm)", _CELL),
        "qorgau_feeds_silent": ("Feeds that are silent, recomputed from the database", ("kind", "region")),
        "qorgau_surge_alarms": ("Days and weeks of surges that go on, recomputed from the database", _CHANNEL),
    }

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Stored, ...]] = {}

    def collect(self) -> Iterator[Metric]:
        for name, (help_text, labels) in self.families.items():
            family = GaugeMetricFamily(name, help_text, labels=labels)
            for row in (row for rows in self.rows.values() for row in rows):
                if row.name == name:
                    family.add_metric(row.labels, row.count)
            yield family


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric of a process. Bind labels once, outside the hot path."""

    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))
    requests: Counter = field(init=False)
    request_seconds: Histogram = field(init=False)
    facts: Counter = field(init=False)
    rounds: Counter = field(init=False)
    round_seconds: Histogram = field(init=False)
    facts_applied: Counter = field(init=False)
    flag_events: Counter = field(init=False)
    timer_lag: Histogram = field(init=False)
    store_commands: Counter = field(init=False)
    conflicts: Counter = field(init=False)
    dead_letters: Counter = field(init=False)
    consumer_lag: Gauge = field(init=False)
    outbox: Gauge = field(init=False)
    unjudged: Gauge = field(init=False)
    loop_stall: Gauge = field(init=False)
    producer_rebuilds: Counter = field(init=False)
    stream_clients: Gauge = field(init=False)
    audit_entries: Gauge = field(init=False)
    audit_anchored: Gauge = field(init=False)
    tokens_refused: Counter = field(init=False)
    _stored: _StoredState = field(init=False, default_factory=_StoredState)

    def __post_init__(self) -> None:
        for name, metric in _metrics(self.registry).items():
            object.__setattr__(self, name, metric)
        self.registry.register(self._stored)

    def show_stored(self, rows: Iterable[Stored], of: str = "cases") -> None:
        """Replace what is shown of a part of the database by a new look at it."""
        self._stored.rows[of] = tuple(rows)

    def text(self) -> bytes:
        """What `/metrics` answers."""
        return generate_latest(self.registry)


def _metrics(registry: CollectorRegistry) -> dict[str, Counter | Gauge | Histogram]:
    def counter(name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"qorgau_{name}", help_text, labels, registry=registry)

    def gauge(name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"qorgau_{name}", help_text, labels, registry=registry)

    def histogram(name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"qorgau_{name}_seconds", help_text, labels, buckets=buckets, registry=registry)

    return {
        "requests": counter("http_requests", "Answered requests", "method", "route", "status"),
        "request_seconds": histogram("http_request", "From request to answer", _REQUEST_BUCKETS, "method", "route"),
        "facts": counter("facts", "Facts at the door, by what became of them", "way", "outcome"),
        "rounds": counter("rounds", "Rounds of the tracker", "outcome"),
        "round_seconds": histogram("round", "From looking up the ends to the commit", _REQUEST_BUCKETS),
        "facts_applied": counter("facts_applied", "Facts filed from the log"),
        "flag_events": counter("flag_events", "Changes of flags saved", "change", "rule"),
        "timer_lag": histogram("timer_lag", "From the logical instant of a change to its saving", _LAG_BUCKETS),
        "store_commands": counter("store_commands", "Commands sent to the database"),
        "conflicts": counter("store_conflicts", "Records that another writer had changed"),
        "dead_letters": counter("dead_letters", "Records that could not be read", "topic", "reason"),
        "consumer_lag": gauge("consumer_lag", "Records behind the end of the log", "topic"),
        "outbox": gauge("outbox_events", "Saved events not yet acknowledged by Kafka"),
        "unjudged": gauge("unjudged_partitions", "Partitions whose cases cannot be judged now"),
        "loop_stall": gauge("loop_stall_seconds", "Longest time the event loop did not turn, since the last look"),
        "producer_rebuilds": counter("producer_rebuilds", "Producers replaced because they stopped acknowledging"),
        "stream_clients": gauge("stream_clients", "Open server-sent streams"),
        "audit_entries": gauge("audit_entries", "Length of the audit chain"),
        "audit_anchored": gauge("audit_anchored_timestamp_seconds", "When the audit chain was last told to Kafka"),
        "tokens_refused": counter("tokens_refused", "Requests without a token that counts", "reason"),
    }


def traceparent() -> str | None:
    """The current trace as a `traceparent` header, or None where nothing is traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def links(traceparents: Iterable[str]) -> list[Link]:
    """Links to the traces a batch came from; what is no traceparent is left out."""
    contexts = (
        trace.get_current_span(propagate.extract({"traceparent": parent})).get_span_context() for parent in traceparents
    )
    return [Link(context) for context in contexts if context.is_valid]


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, str | int] | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | None = None,
    linked: Iterable[str] = (),
) -> Iterator[Span]:
    """One span; an error is marked by its class, its text stays out. Free of cost where no SDK is configured."""
    context = propagate.extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=allowed(attributes or {}),
        links=links(linked),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def allowed(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    """Only the attributes of the list."""
    return {name: value for name, value in attributes.items() if name in _ATTRIBUTES}
