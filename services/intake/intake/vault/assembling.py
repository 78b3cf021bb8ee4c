"""The vault of a service process, put together with what its host has."""

from collections.abc import Sequence
from dataclasses import dataclass

from intake.settings import Settings
from intake.vault.book import VaultBook
from intake.vault.classes import CLASSES
from intake.vault.incidents import Incidents
from intake.vault.locking import locks_of, plain_keys
from intake.vault.opening import Opening
from intake.vault.pairs import Pairs
from intake.vault.records import Entry
from intake.vault.serving import Persons
from intake.vault.tracing import KIND, VaultLines, line_of
from intake.vault.upkeep import Upkeep
from qorgau.audit.chain import Linked
from qorgau.bus import Topic
from qorgau.front.idempotency import Idempotency
from qorgau.retention import load_retention
from qorgau.shell.composition import Parts
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord, facts_in
from qorgau.vocabulary import INTAKE, facts_topic


@dataclass(frozen=True, slots=True)
class Vault:
    """The parts of the vault that routes use."""

    opening: Opening
    persons: Persons
    incidents: Incidents
    commands: Idempotency


def vault_of(parts: Parts, book: VaultBook, settings: Settings) -> Vault:
    """The vault; it is prepared, and looked after as long as the host runs. Raises StartRefused, PolicyRefused."""
    host, locks = parts.host, locks_of(settings)
    now = host.clock.now
    pairs, incidents = Pairs(host.database), Incidents(host.database, book, now)
    commands = Idempotency(host.database, settings.token_key.get_secret_value())
    policy = load_retention(settings.retention, CLASSES)
    book.after = incidents.look

    async def forget(case: str) -> None:
        await pairs.forget(case)
        await incidents.forget(case)

    async def lines_of(case: str) -> Sequence[Entry]:
        return [line_of(linked) for linked in await parts.audit.book.of_case(case) if _of_the_vault(linked)]

    upkeep = Upkeep(book, locks, policy, parts.cases.facts, forget, now, parts.numbers)
    parts.audit.sources.append(VaultLines(book))
    host.prepare += [book.prepare, pairs.prepare, incidents.prepare, commands.prepare]
    host.work.append(upkeep.run)
    host.followers.append(_listening(parts, upkeep))
    return Vault(
        opening=Opening(book, pairs, locks, plain_keys(settings), policy),
        persons=Persons(book, locks, parts.cases.facts, lines_of, forget, now),
        incidents=incidents,
        commands=commands,
    )


def _listening(parts: Parts, upkeep: Upkeep) -> Follower:
    """Hears in the log what changes who may read, and how long something is kept."""

    async def heard(records: Sequence[LogRecord]) -> None:
        await upkeep.heard(list(facts_in(records)))

    topic, settings = facts_topic(INTAKE), parts.host.settings
    return Follower(topic, Topic(settings.brokers, topic), heard, Edition(parts.host.database), name="vault")


def _of_the_vault(linked: Linked) -> bool:
    return str(linked["kind"]).startswith(KIND)
