"""Telemetry carries codes and counts; what is not on the list does not get out."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from qorgau import telemetry
from qorgau.telemetry import Metrics, Stored


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    return exporter


def test_what_is_shown_of_the_database_is_the_last_look_at_it() -> None:
    metrics = Metrics()
    metrics.show_stored([Stored("qorgau_flags_open", ("P03", "breach", "critical", "KZ-75"), 2)])
    assert b'level="breach",region="KZ-75",rule="P03",severity="critical"} 2.0' in metrics.text()
    metrics.show_stored([])
    assert b'rule="P03"' not in metrics.text()


def test_every_metric_has_help_and_the_prefix() -> None:
    metrics = Metrics()
    names = [line.split()[2] for line in metrics.text().decode().splitlines() if line.startswith("# HELP")]
    assert len(names) > 15
    assert all(name.startswith("qorgau_") for name in names)


def test_a_span_carries_only_what_is_allowed(exported: InMemorySpanExporter) -> None:
    with telemetry.span("POST /v1/facts", {"http.route": "/v1/facts", "url.path": "/v1/cases/case-1", "name": "Aigul"}):
        assert telemetry.traceparent()
    (span,) = exported.get_finished_spans()
    assert dict(span.attributes or {}) == {"http.route": "/v1/facts"}


def test_an_error_is_marked_by_its_class_and_its_text_stays_out(exported: InMemorySpanExporter) -> None:
    with pytest.raises(KeyError), telemetry.span("round"):
        raise KeyError("Aigul")
    (span,) = exported.get_finished_spans()
    assert span.status.description == "KeyError"
    assert not span.events


def test_a_batch_is_linked_to_the_traces_it_came_from(exported: InMemorySpanExporter) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with telemetry.span("process", linked=[parent, "nonsense"]):
        pass
    (span,) = exported.get_finished_spans()
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["0af7651916cd43dd8448eb211c80319c"]
