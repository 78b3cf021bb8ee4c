"""The composition root of intake: the only place that reads its settings and has its clients built."""

import asyncio
import sys
from collections.abc import Callable

from intake.apart import explained_by, remembering
from intake.api import build_api, flags_of_others, vault_routers
from intake.domain import FACTS
from intake.export import export_router
from intake.measured import measured_of
from intake.reports import Reports
from intake.sanctions_routes import sanctions_router
from intake.settings import Settings
from intake.silences.wiring import silence_book, silences_of
from intake.statistics.wiring import statistics_of
from intake.transfers import transfer_guard
from intake.vault.assembling import vault_of
from intake.vault.book import VaultBook
from qorgau.bus import FactsLog
from qorgau.feeds.routes import feeds_router
from qorgau.front.attributing import attribution_sums_router
from qorgau.front.capacity import capacity_router
from qorgau.front.flagbook import FlagBook
from qorgau.front.kpis import kpis_router
from qorgau.front.monthly import Months
from qorgau.measures.capacity import SHELTERS
from qorgau.shell.composition import flags_follower, parts_of
from qorgau.shell.edition import Edition
from qorgau.shell.hosting import Host
from qorgau.shell.running import main
from qorgau.state.made import Made


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""

    def book_of(host: Host, number_of: Callable[[str], int]) -> VaultBook:
        return VaultBook(host.database, number_of, FactsLog(host.producer, settings.service))

    async with parts_of(settings, FACTS, Made(measuring=measured_of), book_of) as parts:
        host, key = parts.host, settings.token_key.get_secret_value()
        book = FlagBook(Edition(host.database))
        host.prepare.append(book.prepare)
        statistics = statistics_of(parts)
        told = silence_book(parts)
        flags = flags_follower(host, book, remembering(statistics.book, told))
        host.followers.append(flags)
        silences = silences_of(parts, told, flags)
        records = parts.cases.reported
        assert isinstance(records, VaultBook)
        vault = vault_of(parts, records, settings)
        reports = Reports(parts.door, vault.opening, key, host.metrics)
        keeper = parts.keeper(
            guard=transfer_guard(parts.cases.facts),
            others=flags_of_others(book, parts.feeds.doubts),
            elsewhere=explained_by(statistics.explained, silences.explained),
        )
        export = export_router(keeper.reading, book.of_case, vault.persons, host.access)
        sums = attribution_sums_router(parts.books.measured.rows, host.access, host.clock.now)
        months, rows = Months(parts.plan, host.clock.now), parts.books.measured.rows
        kpis = kpis_router(rows, months, host.access)
        decided = sanctions_router(rows, months, host.access)
        places = capacity_router(SHELTERS, rows, parts.context.dated, months, host.access)
        figures = (statistics.router, sums, kpis, decided, places)
        own = (*figures, feeds_router(parts.feeds, host.access), export, *vault_routers(vault, parts.door, host.access))
        try:
            await host.run(build_api(keeper, reports, *own), stopping)
        finally:
            await records.close()


if __name__ == "__main__":
    sys.exit(main(Settings, run))
