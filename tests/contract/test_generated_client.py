"""A client that `openapi-python-client` makes of the committed documents: whole, and good for a day's work."""

import importlib
import json
import secrets
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE, SERVICES
from tests.e2e.stack import Stack, eventually

API = Path(__file__).parents[2] / "docs" / "api"
# The generator knows no other types of content than these; the bodies are the same.
CONFIG = {
    "content_type_overrides": {
        "application/cloudevents-batch+json": "application/json",
        "application/x-ndjson": "text/plain",
        "text/csv": "text/plain",
        "text/event-stream": "text/plain",
    },
    # It would format what it wrote.
    "post_hooks": [],
}


def generated(service: str, folder: Path) -> Path:
    """The package of a client; whatever the generator cannot make of the document is an error."""
    package = folder / f"{service.replace('-', '_')}_client"
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    paths = ["--path", str(API / f"{service}.openapi.json"), "--output-path", str(package), "--config", str(config)]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return package


@pytest.mark.parametrize("service", [POLICE, COURT, NOTIFIER])
def test_every_operation_of_a_document_is_one_of_the_client(service: str, tmp_path: Path) -> None:
    package = generated(service, tmp_path)
    document = json.loads((API / f"{service}.openapi.json").read_text(encoding="utf-8"))
    made = {path.stem for path in (package / "api").rglob("*.py")}
    assert {operation["operationId"] for path in document["paths"].values() for operation in path.values()} <= made


class Client:
    """The generated client of intake, by the names of its operations."""

    def __init__(self, package: Path, url: str, token: str) -> None:
        self.name = package.name
        self.own = self.module("client").AuthenticatedClient(base_url=url, token=token, timeout=30)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def call(self, tag: str, operation: str, *path: str, **given: Any) -> Any:
        return self.module(f"api.{tag}.{operation}").sync_detailed(*path, client=self.own, **given)


@pytest.fixture
def client(live: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    package = generated(INTAKE, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Client(package, live.url(INTAKE), live.system.token)


async def test_a_report_is_told_and_its_case_read_by_a_generated_client(live: Stack, client: Client) -> None:
    report = client.model("Report").from_dict(
        {"region": "KZ-75", "channel": "150", "area": "urban", "survivor": {"name": "Айгүл"}}
    )
    key = secrets.token_hex(8)
    told = client.call("reports", "post_report", body=report, idempotency_key=key)
    assert told.status_code == 201
    assert told.headers["location"] == f"/v1/cases/{told.parsed.case}"
    again = client.call("reports", "post_report", body=report, idempotency_key=key)
    assert (again.parsed.case, again.parsed.report_id) == (told.parsed.case, told.parsed.report_id)
    other = client.model("Report").from_dict({"region": "KZ-75", "channel": "150", "area": "rural"})
    refused = client.call("reports", "post_report", body=other, idempotency_key=key)
    assert (refused.status_code, refused.parsed.field) == (422, "Idempotency-Key")

    async def judged() -> None:
        read = client.call("cases", "get_case", told.parsed.case)
        assert read.status_code == 200
        assert [row.rule for row in read.parsed.deadlines] == ["P01"]
        assert (read.parsed.status, read.parsed.agencies) == ("open", ["helpline-150/KZ-75"])

    await eventually(judged)
    assert client.call("cases", "get_case", "nobody-knows-it").status_code == 404
    person = client.call("persons", "get_person", told.parsed.case, purpose="support")
    assert person.parsed.reports[0].survivor["name"] == "Айгүл"


def test_the_client_knows_every_service() -> None:
    assert {POLICE, COURT, NOTIFIER, INTAKE} == set(SERVICES)
