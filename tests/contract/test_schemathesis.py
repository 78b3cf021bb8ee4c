"""Whatever is sent to a route of a service, it answers as its document says; and what is right is done."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from qorgau.instants import format_instant
from qorgau.vocabulary import SERVICES
from tests.contract.known import Known, made, sensible
from tests.e2e.live.world import ago
from tests.e2e.stack import Stack

API = Path(__file__).parents[2] / "docs" / "api"
# They never end; `test_notifier.py` and `test_streams.py` read them.
ENDLESS = frozenset({"get_stream", "get_case_events", "get_hearing_events"})
# For each way of making requests. More of them are tried by `make night`.
QUICK, DEEP = 2, 15
# What a document cannot say, a service checks all the same: which regions there are, what must stand beside what.
UNDECIDED = [positive_data_acceptance]


def operations() -> Iterator[tuple[str, str, Any]]:
    """Each with its service and its name."""
    for service in SERVICES:
        schema = schemathesis.openapi.from_path(API / f"{service}.openapi.json")
        # In a batch each fact has a status of its own.
        refusals = schema.config.checks.negative_data_rejection
        refusals.expected_statuses = [*refusals.expected_statuses, "207", "410", "412", "413"]
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            name = operation.definition.raw["operationId"]
            if name not in ENDLESS:
                yield service, name, operation


def tries() -> Iterator[Any]:
    """How many requests of each kind an operation gets. What several services read by the same code is tried at the
    first of them, and at all of them by night."""
    known: set[str] = set()
    for service, name, operation in operations():
        if operation.method != "get" or name not in known:
            yield pytest.param(service, name, operation, QUICK, id=f"{service} {name}-quick")
        yield pytest.param(service, name, operation, DEEP, id=f"{service} {name}-deep", marks=pytest.mark.night)
        known.add(name)


TRIES = list(tries())


@pytest.fixture(scope="module")
async def known(live: Stack) -> Known:
    """Something for the routes to be about."""
    return await made(live)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that are kept."""
    with requests.Session() as session:
        yield session


def tried(operation: Any, mode: GenerationMode, examples: int, send: Callable[[Any], None]) -> None:
    """So many requests to an operation, the same ones each time."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        send(case)

    each()


@pytest.mark.parametrize(("service", "name", "operation", "examples"), TRIES)
def test_whatever_is_sent_is_answered_as_documented(
    live: Stack, known: Known, session: requests.Session, service: str, name: str, operation: Any, examples: int
) -> None:
    headers = known.everybody if "security" in operation.definition.raw else {}

    def send(case: Any) -> None:
        answer = case.call(base_url=live.url(service), session=session, headers=headers, allow_redirects=False)
        case.validate_response(answer, excluded_checks=UNDECIDED, headers=headers)

    tried(operation, GenerationMode.POSITIVE, examples, send)
    if operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"):
        tried(operation, GenerationMode.NEGATIVE, examples, send)


@pytest.mark.parametrize(("service", "name", "operation", "examples"), TRIES)
def test_what_is_right_is_done_and_answered_as_documented(
    live: Stack, known: Known, session: requests.Session, service: str, name: str, operation: Any, examples: int
) -> None:
    seen: Counter[int] = Counter()
    headers = known.headers(name)

    def send(case: Any) -> None:
        path = known.path(service, name)
        case.path_parameters = {part: path.get(part, value) for part, value in (case.path_parameters or {}).items()}
        case.query = {} if not case.query else _QUERIES.get(name, {})
        case.body = sensible(case.body)
        case.headers.pop("If-Match", None)
        answer = case.call(base_url=live.url(service), session=session, headers=headers, allow_redirects=False)
        # It is told by its old values what was right about them.
        case.validate_response(answer, excluded_checks=[*UNDECIDED, negative_data_rejection], headers=headers)
        seen[answer.status_code] += 1

    tried(operation, GenerationMode.POSITIVE, examples, send)
    assert any(status < 400 for status in seen), seen


_NOW = format_instant(ago())[:7]
_SINCE = {"since": _NOW, "provisional": "true"}
_QUERIES = {
    "get_person": {"purpose": "support"},
    "get_statistics": {"month": _NOW, "provisional": "true"},
    **dict.fromkeys(("get_kpis", "get_sanctions", "get_capacity", "get_desks"), _SINCE),
}
