"""What is different for intake: its name, its port unless told otherwise, and what its vault is locked with."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from qorgau.settings import File, Port
from qorgau.settings import Settings as Common
from qorgau.vocabulary import INTAKE


class Settings(Common):
    """The settings of intake. Without keys and index secrets its vault takes nothing personal."""

    service: ClassVar[str] = INTAKE

    port: Port = 8101
    # Keys that wrap the data keys of cases: a file that is read again when it changes, or `ID:KEY,ID:KEY` in base64.
    vault_key_file: Path | None = None
    vault_keys: SecretStr | None = None
    # Or a key server with the transit API of HashiCorp Vault: its address, the name of the key, a file with the token.
    vault_transit: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] | None = None
    vault_transit_key: str = "qorgau"
    vault_transit_token_file: Path | None = None
    vault_transit_ca_file: File | None = None
    # Secrets of the blind indexes, in the same forms; whoever has both these and those keys can recognise people.
    vault_index_file: Path | None = None
    vault_index_keys: SecretStr | None = None
    # Make the files where they are missing: for a system of one's own, where losing them loses only made-up people.
    vault_make_keys: bool = False
