"""Read by every Python of a system under test, by PYTHONPATH: the spans of a service go to a file, so that they can be
searched; and where a file says so, intake tells what it must not, so that the search can be seen to find it.

No program of ours knows of this.
"""

import os
import sys
from pathlib import Path


def _spans(folder: Path) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"spans-{os.getpid()}.ndjson").open("a", encoding="utf-8", buffering=1)
    exporter = ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


if os.environ.get("QORGAU_TEST_SPANS") and any(word.endswith(".main") for word in sys.orig_argv):
    _spans(Path(os.environ["QORGAU_TEST_SPANS"]))
    if os.environ.get("QORGAU_TEST_LEAK") and "intake.main" in sys.orig_argv:
        from tests.e2e.vault.planted.leaks import plant

        plant(Path(os.environ["QORGAU_TEST_LEAK"]))
