"""Posting facts to a service: batches, repeats that are bounded, refusals fact by fact."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.importing.sending import NotSent, Refusal, sending
from tests.http_stub import Answer, Stub, accepting, stub

PROBLEM = {"content-type": "application/problem+json"}
FACTS = [Fact(f"f{n}", "102/KZ-75", "police.dispatched", n, n, f"c{n}", {"region": "KZ-75"}) for n in range(3)]


@pytest.fixture
def service() -> Iterator[Stub]:
    with stub() as served:
        yield served


def post(url: str, pauses: list[float] | None = None, attempts: int = 4) -> list[Refusal | None]:
    waited = [] if pauses is None else pauses
    with sending(url, "a.b.c", timeout=timedelta(seconds=5), attempts=attempts, pause=waited.append) as way:
        return way.post(FACTS)


def test_a_batch_is_posted_as_events_without_a_recording_instant(service: Stub) -> None:
    assert post(service.url) == [None, None, None]
    assert service.paths == ["/v1/facts"]
    assert service.headers[0]["authorization"] == "Bearer a.b.c"
    assert service.headers[0]["content-type"] == "application/cloudevents-batch+json"
    assert service.events[1] == {
        "specversion": "1.0",
        "id": "f1",
        "source": "102/KZ-75",
        "type": "qorgau.police.dispatched.v1",
        "time": "1970-01-01T00:00:00.000001Z",
        "subject": "c1",
        "data": {"region": "KZ-75"},
    }


@pytest.mark.parametrize("ending", ["/", "/v1/facts", "/v1/facts/"])
def test_an_address_may_end_as_people_write_it(service: Stub, ending: str) -> None:
    post(service.url + ending)
    assert service.paths == ["/v1/facts"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_service_is_asked_again_after_the_time_it_told(service: Stub, status: int) -> None:
    service.answers += [(status, {"retry-after": "7"}, {}), (status, {"retry-after": "86400"}, {}), (status, {}, {})]
    pauses: list[float] = []
    assert post(service.url, pauses) == [None, None, None]
    assert pauses == [7.0, 60.0, 2.0]
    assert service.batches[0] == service.batches[3]


def test_a_service_that_stays_busy_is_given_up(service: Stub) -> None:
    service.answers += [(503, {}, {})] * 9
    pauses: list[float] = []
    with pytest.raises(NotSent) as caught:
        post(service.url, pauses)
    assert not caught.value.bad_use
    assert (len(service.batches), pauses) == (4, [0.5, 1.0, 2.0])


def test_a_service_that_is_not_there_is_given_up() -> None:
    with stub() as gone:
        url = gone.url
    with pytest.raises(NotSent) as caught:
        post(url, attempts=2)
    assert not caught.value.bad_use


def test_a_service_that_does_not_answer_is_given_up_in_time(service: Stub) -> None:
    held = threading.Event()

    def slow(events: list[dict[str, Any]]) -> Answer:
        held.wait(5)
        return accepting(events)

    service.answers.append(slow)
    try:
        with (
            sending(service.url, "t", timeout=timedelta(milliseconds=50), attempts=1, pause=lambda _: None) as way,
            pytest.raises(NotSent),
        ):
            way.post(FACTS)
    finally:
        held.set()


def test_a_token_that_is_not_valid_is_not_tried_again(service: Stub) -> None:
    service.answers.append((401, PROBLEM, {"detail": "Send a valid token.", "status": 401}))
    with pytest.raises(NotSent, match="401: Send a valid token") as caught:
        post(service.url)
    assert caught.value.bad_use
    assert len(service.batches) == 1


def test_of_a_stranger_only_the_status_is_told(service: Stub) -> None:
    service.answers.append((404, {"content-type": "application/json"}, {"detail": "SECRET"}))
    with pytest.raises(NotSent, match=r"^the service answered 404$"):
        post(service.url)


@pytest.mark.parametrize("body", [{}, {"results": [{"status": "accepted"}]}, ["x"]])
def test_an_answer_that_does_not_fit_is_no_acceptance(service: Stub, body: Any) -> None:
    service.answers.append((207, {}, body))
    with pytest.raises(NotSent, match="check the address"):
        post(service.url)


def test_refusals_are_told_fact_by_fact(service: Stub) -> None:
    problem = {"title": "A field is not as documented", "detail": "No region has this code.", "field": "data.region"}
    results = [{"id": "f0", "status": "parked"}, {"id": "f1", "status": "rejected", "problem": problem}, "?"]
    service.answers.append((207, {}, {"results": results}))
    assert post(service.url) == [None, Refusal("No region has this code.", "data.region"), Refusal("refused", "")]


@pytest.mark.parametrize(("url", "token"), [("example", "t"), ("ftp://x", "t"), ("http://x", "a\nb"), ("http://", "t")])
def test_what_is_no_address_or_no_token_is_refused_before_anything_is_sent(url: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"address|token"), sending(url, token):
        pass
