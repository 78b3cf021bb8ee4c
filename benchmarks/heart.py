"""The heart: a file replayed on one core, against pydantic reading the same file; cases of 10, 100 and 1,000 facts."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from benchmarks.figures import Figure, say
from benchmarks.load import cases_of, lines, season_cases
from qorgau.commands.replay import both
from qorgau.embedded.data import default_policy
from qorgau.front.posted import FactData
from qorgau.heart.collecting import collect_seldom
from qorgau.policy import load_policy
from qorgau.replay.batch import Job, judge_all
from qorgau.replay.casefile import CaseFile, Ties
from qorgau.replay.sums import Tally
from qorgau.rules import Policy

NAME = "heart"
LENGTHS = (10, 100, 1_000)
# A million facts a minute on two cores.
_WANTED = 1_000_000 / 60 / 2
_MODELS: dict[str, type[FactData]] = {
    **court_tracker.domain.FACTS,
    **intake.domain.FACTS,
    **police_dispatch.domain.FACTS,
}


class Line(BaseModel):
    """A line of a file of facts."""

    id: str
    source: str
    type: str
    time: AwareDatetime
    recorded: AwareDatetime
    case: str | None = None
    data: dict[str, Any]


def run(short: bool) -> list[Figure]:
    """Facts per second of processor time, and what a fact costs in a long case compared with a short one."""
    facts, rounds = (5_000, 2) if short else (30_000, 5)
    policy = load_policy(default_policy())
    replayed: dict[int, list[float]] = {length: [] for length in LENGTHS}
    parsed: dict[int, list[float]] = {length: [] for length in LENGTHS}
    collect_seldom()
    with _files(facts) as files:
        for number in range(rounds):
            say(f"heart: round {number + 1} of {rounds}")
            for length, file in files.items():
                replayed[length].append(facts / _spent(replay, file, policy))
                parsed[length].append(facts / _spent(parse, file, policy))
    return [*_against_pydantic(replayed, parsed), *_flatness(replayed)]


def replay(file: Path, policy: Policy) -> None:
    """What `qorgau replay FILE` does in one process once it has started, without printing."""
    cases = CaseFile(file, Ties.of([policy]))
    total = Tally()
    for (tally,), *_ in judge_all(cases, Job(both, (policy,), cases.until() or 0), workers=1):
        total.add(tally)


def parse(file: Path, _: Policy) -> None:
    """Every line by a model of the envelope and the model of its type, as strict as a service's door."""
    with file.open("rb") as rows:
        for row in rows:
            fact = Line.model_validate_json(row)
            _MODELS[fact.type].model_validate(fact.data)


@contextmanager
def _files(facts: int) -> Iterator[dict[int, Path]]:
    cases = season_cases()
    with tempfile.TemporaryDirectory() as folder:
        files = {length: Path(folder) / f"{length}.ndjson" for length in LENGTHS}
        for length, file in files.items():
            rows = lines(cases_of(length, facts, cases))
            file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        yield files


def _spent(work: Callable[[Path, Policy], None], file: Path, policy: Policy) -> float:
    begun = time.process_time()
    work(file, policy)
    return time.process_time() - begun


def _against_pydantic(replayed: dict[int, list[float]], parsed: dict[int, list[float]]) -> list[Figure]:
    return [
        Figure(
            NAME,
            f"replay, cases of {length}",
            "facts/s of one core",
            "qorgau replay",
            "pydantic reads them",
            replayed[length],
            parsed[length],
            f"ours >= {_WANTED:,.0f} (1,000,000 a minute on 2 cores)",
        )
        for length in LENGTHS
    ]


def _flatness(replayed: dict[int, list[float]]) -> list[Figure]:
    cost = {length: [1e6 / rate for rate in rates] for length, rates in replayed.items()}
    return [
        Figure(
            NAME,
            f"flatness, {length} to {LENGTHS[0]}",
            "us of a core for a fact",
            f"cases of {length}",
            f"cases of {LENGTHS[0]}",
            cost[length],
            cost[LENGTHS[0]],
            "flat: 1",
        )
        for length in LENGTHS[1:]
    ]
