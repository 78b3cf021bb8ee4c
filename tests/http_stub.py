"""A service for facts that is none: answers what a test tells it to, and remembers what it was sent."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = Any
# What to answer to a batch: status, headers, body.
Answer = tuple[int, dict[str, str], Any]


def accepting(events: list[dict[str, Any]]) -> Answer:
    """The answer of a service that takes everything."""
    results = [{"id": event["id"], "case": event.get("subject"), "status": "accepted"} for event in events]
    return 207, {"content-type": "application/json"}, {"results": results}


@dataclass
class Stub:
    """`answers` are given one after the other, then every batch is accepted."""

    url: str = ""
    answers: list[Answer | Callable[[list[dict[str, Any]]], Answer]] = field(default_factory=list)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        events = json.loads(body)
        self.paths.append(path)
        self.headers.append(headers)
        self.batches.append(events)
        made = self.answers.pop(0) if self.answers else accepting
        return made(events) if callable(made) else made


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub that listens on this machine."""
    served = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            named = {name.lower(): text for name, text in self.headers.items()}
            status, headers, answer = served.answer(self.path, named, body)
            told = json.dumps(answer).encode()
            self.send_response(status)
            for name, text in {**headers, "content-length": str(len(told))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has gone is what some tests want."""

    server = Server(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
