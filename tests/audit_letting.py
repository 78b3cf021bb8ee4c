"""A chain of which lines are let go; run as a program it lets go of them and dies where it is told."""

import asyncio
import sys
from typing import Any

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Actor, Entry
from qorgau.audit.checkpoint import Period
from qorgau.audit.letting import LettingGo
from qorgau.bus import Producer
from qorgau.instants import DAY
from qorgau.shell import crash
from qorgau.store import connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import INTAKE

PERIOD = Period(10 * DAY, "audit/0", "retention", "1.0.0")


def line(number: int, day: int) -> Entry:
    return Entry(f"e{number}", day * DAY, "vault.read", Actor("102/KZ-75", "desk-3"), "c1")


class Deployment:
    """One replica of intake with a clock that is set."""

    def __init__(self, kafka: str, database: Any, deployment: str, producer: Producer) -> None:
        self.now = 0
        self.numbers = [0, 1]
        self.book = AuditBook(database, INTAKE, deployment)
        self.anchoring = Anchoring(deployment, self.book, producer, lambda: self.now, Metrics())
        self.letting = LettingGo(self.anchoring, kafka, PERIOD, lambda: self.numbers)

    async def on(self, day: int, *numbers: int) -> None:
        """The lines of a day, anchored."""
        self.now = day * DAY
        await self.book.append([line(number, day) for number in numbers])
        await self.anchoring.anchor()


async def main(kafka: str, mongo: str, name: str, deployment: str, now: str, point: str) -> None:
    """Let go once; it ends at the point."""
    producer = Producer(kafka, Metrics())
    replica = Deployment(kafka, connect(mongo)[name], deployment, producer)
    replica.now = int(now)
    crash.arm(point)
    await replica.letting.let_go()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
