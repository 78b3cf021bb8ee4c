"""A whole file of facts judged case by case, in this process or in several; the answers do not depend on how many."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

from qorgau.facts import Fact
from qorgau.heart.collecting import collect_seldom
from qorgau.heart.others import Others
from qorgau.plan import Plan, compile_policy
from qorgau.replay.casefile import CaseFile, CasePlaces, FactReader, Tie
from qorgau.rules import Policy

# Below so many facts a second process costs more than it saves.
_WORTH_IT = 20_000
# So many cases go to a process at once, and so many such pieces wait for each process: memory stays bounded.
_PIECE, _WAITING = 100, 4
# So many contexts, mostly the docket of a court each, are kept for the next case.
_CONTEXTS = 200

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class OneCase:
    """A case as it lies in the file: its facts and, for each plan, what its flags look at beyond it."""

    case: str
    facts: list[Fact]
    others: tuple[Others, ...]


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
    with FactReader(file.path) as reader:
        clerk = Clerk(reader, job)
        for places in file.cases():
            yield clerk.ask(places)


class Clerk(Generic[Answer]):
    """Reads one case after another and asks what the job asks. Contexts that cases share are read once."""

    def __init__(self, reader: FactReader, job: Job[Answer]) -> None:
        self._reader, self._job = reader, job
        self._plans = tuple(compile_policy(policy, job.service) for policy in job.policies)
        self._contexts: dict[frozenset[Tie], tuple[list[Fact], tuple[Others, ...]]] = {}

    def ask(self, places: CasePlaces) -> Answer:
        """The answer for one case."""
        case = OneCase(places.case, self._reader.read(places.own), self._others(places))
        return self._job.ask(case, self._plans, self._job.until)

    def _others(self, places: CasePlaces) -> tuple[Others, ...]:
        if places.ties not in self._contexts:
            if len(self._contexts) >= _CONTEXTS:
                self._contexts.clear()
            read = self._reader.read(places.context)
            self._contexts[places.ties] = read, self._around(read)
        context, others = self._contexts[places.ties]
        return self._around([*self._reader.read(places.near), *context]) if places.near else others

    def _around(self, facts: Sequence[Fact]) -> tuple[Others, ...]:
        return tuple(Others(facts, plan) for plan in self._plans)


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


# Whom a process of the pool was begun with; each has its own.
_clerks: list[Clerk[Any]] = []


def _begin(path: Path, job: Job[Any]) -> None:
    collect_seldom()
    _clerks.append(Clerk(FactReader(path), job))


def _judge_piece(piece: Iterable[CasePlaces]) -> list[Any]:
    return [_clerks[0].ask(places) for places in piece]
