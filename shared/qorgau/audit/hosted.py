"""The audit chain of a service process, put together with what its host has."""

from collections.abc import Callable, Collection

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.audit.relay import Audit
from qorgau.shell.hosting import Host


def audit_of(host: Host, numbers: Callable[[], Collection[int]]) -> Audit:
    """The chain of this service; it is prepared, relayed and anchored as long as the host runs. `numbers`: the
    partitions whose documents this replica looks after."""
    settings = host.settings
    book = AuditBook(host.database, settings.service, settings.database, host.metrics)
    anchoring = Anchoring(settings.database, book, host.producer, host.clock.now, host.metrics)
    audit = Audit(book, anchoring, numbers)
    host.prepare.append(book.prepare)
    host.work.append(audit.run)
    return audit
