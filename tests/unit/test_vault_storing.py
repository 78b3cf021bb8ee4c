"""A document of the vault in a form of a newer program is neither read nor, so, written over."""

import pytest

from intake.vault.records import VaultRecord
from intake.vault.storing import SCHEMA, from_document, to_document
from qorgau.shell.documents import NewerDocument


def test_a_document_in_a_newer_form_is_refused_and_not_misread() -> None:
    document = to_document(VaultRecord("c1"), 3, "v1")
    assert from_document(document).case == "c1"
    with pytest.raises(NewerDocument):
        from_document({**document, "schema": SCHEMA + 1})
