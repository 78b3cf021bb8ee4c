"""The version of what people decide in a case of the vault, for `ETag` and `If-Match`. Pure.

It changes with consents, legal bases, broken glass and its review, reports, and what is destroyed; not with reading,
nor with the lines of audit that reading leaves. So who decides on what they read is told when somebody decided since.
"""

from dataclasses import asdict
from hashlib import sha256

import orjson

from intake.vault.records import VaultRecord


def version_of(record: VaultRecord) -> str:
    """The version, 128 bits as hex; it tells nothing of what it is made of."""
    decided = {
        "case": record.case,
        "sharing": asdict(record.sharing),
        "reports": [report.id for report in record.reports],
        "destroyed": dict(record.destroyed),
        "erased_at": record.erased_at,
    }
    return sha256(orjson.dumps(decided, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
