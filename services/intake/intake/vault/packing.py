"""A report's personal part, sealed piece by piece for its case and report, and opened again. Pure, but for the nonces.

The report's id is part of the name under which a field is sealed: two reports of one case share a key, and a field
moved from one to the other does not open.
"""

import os
from collections.abc import Mapping
from typing import Any

from intake.vault.form import Personal, sealable, unsealed
from intake.vault.sealing import Draw, seal, unseal


def pack(
    case: str, report: str, personal: Personal | None, data_key: bytes, key_id: str, draw: Draw = os.urandom
) -> dict[str, bytes]:
    """The sealed fields of a report, by name."""
    if personal is None:
        return {}
    pieces = sealable(personal)
    return {name: seal(case, f"{report}/{name}", plain, data_key, key_id, draw) for name, plain in pieces.items()}


def unpack(case: str, report: str, fields: Mapping[str, bytes], data_key: bytes, key_id: str) -> dict[str, Any]:
    """What the fields say, as the form had it. Raises Unsealable if one of them does not open: half of what is known
    of somebody, shown as if it were all, misleads."""
    return unsealed(
        {name: unseal(case, f"{report}/{name}", sealed, data_key, key_id) for name, sealed in fields.items()}
    )
