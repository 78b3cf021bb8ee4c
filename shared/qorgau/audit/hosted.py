"""The audit chain of a service process, put together with what its host has."""

from collections.abc import Callable, Collection

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Actor, Entry
from qorgau.audit.letting import LettingGo, audit_period
from qorgau.audit.relay import Audit
from qorgau.front.registering import Note
from qorgau.identity.sender import Sender
from qorgau.retention import load_retention
from qorgau.shell.hosting import Host


def audit_of(host: Host, numbers: Callable[[], Collection[int]]) -> Audit:
    """The chain of this service; it is prepared, relayed, anchored and rid of what is over as long as the host runs.
    `numbers`: the partitions whose documents this replica looks after. Raises PolicyRefused."""
    settings = host.settings
    book = AuditBook(host.database, settings.service, settings.database, host.metrics)
    anchoring = Anchoring(settings.database, book, host.producer, host.clock.now, host.metrics)
    audit = Audit(book, anchoring, numbers)
    host.prepare.append(book.prepare)
    period = audit_period(load_retention(settings.retention))
    host.work += [audit.run, LettingGo(anchoring, settings.brokers, period, numbers).run]
    return audit


def references_in(audit: Audit, now: Callable[[], int]) -> Note:
    """Writes down who gives which official number to which case, before it is given: the number by its digest."""

    async def note(digest: str, case: str, sender: Sender) -> None:
        entry_id = f"reference.{digest}.{case}.{sender.agency}.{sender.subject}"
        actor = Actor(sender.agency, sender.subject)
        await audit.append([Entry(entry_id, now(), "reference.registering", actor, case, {"reference": digest})])

    return note
