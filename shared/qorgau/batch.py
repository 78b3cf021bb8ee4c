"""A whole file of facts judged case by case, in this process or in several; the answers do not depend on how many."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

from qorgau.casefile import CaseFile, CasePlaces, FactReader
from qorgau.facts import Fact
from qorgau.plan import Plan, compile_policy
from qorgau.rules import Policy

# Below so many facts a second process costs more than it saves.
_WORTH_IT = 20_000
# So many cases go to a process at once, and so many such pieces wait for each process: memory stays bounded.
_PIECE, _WAITING = 100, 4

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class OneCase:
    """A case as it lies in the file: its facts and those of others that its flags look at."""

    case: str
    facts: list[Fact]
    others: list[Fact]


@dataclass(frozen=True, slots=True)
class Job(Generic[Answer]):
    """What is asked of each case: `ask` is a function of a module, so that any process can call it."""

    ask: Callable[[OneCase, tuple[Plan, ...], int], Answer]
    policies: tuple[Policy, ...]
    until: int
    service: str | None = None


def judge_all(file: CaseFile, job: Job[Answer], workers: int | None = None) -> Iterator[Answer]:
    """The answer for every case, in the order of their names. `workers`: so many processes, by default what pays."""
    if workers is None:
        workers = (os.cpu_count() or 1) if file.count >= _WORTH_IT else 1
    if workers > 1:
        yield from _in_processes(file, job, workers)
        return
    plans = _plans(job)
    with FactReader(file.path) as reader:
        for places in file.cases():
            yield job.ask(_read(places, reader), plans, job.until)


def _in_processes(file: CaseFile, job: Job[Answer], workers: int) -> Iterator[Answer]:
    pieces = _pieces(file.cases())
    # A fresh process and not a fork: a bar on the terminal is a thread, and a fork in the middle of one may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(file.path, job)) as pool:
        waiting: deque[Future[list[Answer]]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(_judge_piece, piece))
            if len(waiting) >= workers * _WAITING:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _pieces(cases: Iterator[CasePlaces]) -> Iterator[list[CasePlaces]]:
    while piece := list(islice(cases, _PIECE)):
        yield piece


# What a process of the pool was begun with; each has its own.
_begun: dict[str, Any] = {}


def _begin(path: Path, job: Job[Any]) -> None:
    _begun.update(reader=FactReader(path), job=job, plans=_plans(job))


def _judge_piece(piece: Iterable[CasePlaces]) -> list[Any]:
    reader, job, plans = _begun["reader"], _begun["job"], _begun["plans"]
    return [job.ask(_read(places, reader), plans, job.until) for places in piece]


def _plans(job: Job[Any]) -> tuple[Plan, ...]:
    return tuple(compile_policy(policy, job.service) for policy in job.policies)


def _read(places: CasePlaces, reader: FactReader) -> OneCase:
    return OneCase(places.case, reader.read(places.own), reader.read_shared(places.others))
