"""What a service can be told by its environment, and nothing else; a refusal names the variable, never its value."""

import argparse
import socket
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import SettingsError

from qorgau.activation import InForce
from qorgau.brokers import PREFIX as PREFIX
from qorgau.brokers import Brokers, KafkaSecurity, complaint
from qorgau.embedded.data import default_feeds, default_policy, default_retention, default_titles
from qorgau.front.door import AHEAD
from qorgau.identity.claims import AUDIENCE, ISSUER
from qorgau.identity.revoked import read_revoked
from qorgau.identity.sources import source_of
from qorgau.identity.tokens import KEY_BYTES
from qorgau.instants import parse_duration
from qorgau.policy import load_policy
from qorgau.shell import crash
from qorgau.starting import StartRefused
from qorgau.vocabulary import DEPLOYMENT, database_name

Role = Literal["api", "tracker", "all"]
_MICROSECOND = timedelta(microseconds=1)


def _duration(value: object) -> object:
    """Only `PnDTnHnMnS`: pydantic alone would read a month as 30 days and 15:00 as 15 hours."""
    return parse_duration(value) * _MICROSECOND if isinstance(value, str) else value


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("it names no file")
    return path


def _long_enough(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < KEY_BYTES:
        raise ValueError(f"it needs at least {KEY_BYTES} bytes; `openssl rand -hex 32` makes one")
    return key


def _place_of_keys(text: str) -> str:
    source_of(text)
    return text


def _list_of_agencies(path: Path) -> Path:
    """At the start it must be right; later the last list that was stays in force."""
    try:
        read_revoked(_readable(path).read_text(encoding="utf-8"))
    except OSError:
        raise ValueError("it cannot be read") from None
    return path


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta())]
File = Annotated[Path, AfterValidator(_readable)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(KafkaSecurity):
    """The base of every service's settings; `service` is its name on the wire."""

    service: ClassVar[str]

    kafka: str
    mongo: str
    token_key: Annotated[SecretStr, AfterValidator(_long_enough)]
    # Where the issuer's public keys are. With it no token signed with the secret key counts, and without it no other.
    jwks: Annotated[str, AfterValidator(_place_of_keys)] | None = None
    issuer: Annotated[str, Field(min_length=1)] = ISSUER
    audience: Annotated[str, Field(min_length=1)] = AUDIENCE
    # Agencies whose tokens are refused, one a line; read again when it changes.
    revoked: Annotated[Path, AfterValidator(_list_of_agencies)] | None = None
    policy: File = Field(default_factory=default_policy)
    # What rules, flags and codes are called in the languages of those who read them.
    titles: File = Field(default_factory=default_titles)
    # How long lines of the audit chain are kept and, at intake, what is in the vault.
    retention: File = Field(default_factory=default_retention)
    # How long the feeds of agencies may be silent.
    feeds: File = Field(default_factory=default_feeds)
    # Loopback: who opens it to a network says so, as the image does.
    host: str = "127.0.0.1"
    port: Port = 8000
    # The lasting name of a replica: it keeps its partitions when it comes back under the same name.
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(default_factory=socket.gethostname)
    role: Role = "all"
    clock: Path | None = None
    crash_at: Annotated[str, AfterValidator(crash.check)] | None = None
    # The prefix of the database's name, so that several deployments can share one server.
    database: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = DEPLOYMENT
    # Fixed for a deployment: a case must never change its partition. Replicas can be added up to this number.
    partitions: Annotated[int, Field(ge=1, le=1024)] = 12
    # How many brokers keep each topic; one is all that an embedded Kafka has.
    replication: Annotated[int, Field(ge=1, le=9)] = 1
    # A case with more facts is no case but a sender that went wild; one sender must not fill it for all the others.
    case_facts: Count = 2_000
    case_facts_of_source: Count = 1_000
    # How far ahead of now an agency's own time may lie.
    ahead: Duration = AHEAD
    # What one batch of a round holds at most; the records of so many cases are in memory at the same time.
    batch_facts: Count = 4_000
    batch_bytes: Count = 4_000_000
    _activated: InForce | None = PrivateAttr(None)

    @cached_property
    def brokers(self) -> Brokers:
        """Kafka, as it is spoken to."""
        return self.brokers_at(self.kafka)

    @property
    def database_name(self) -> str:
        """This service's own database."""
        return database_name(self.database, self.service)

    def in_force(self) -> InForce:
        """The policy to judge by: the one that was activated, otherwise that of the file. Raises PolicyRefused."""
        return self._activated or InForce(load_policy(self.policy))

    def under(self, activated: InForce) -> Self:
        """The same settings, to judge by this policy."""
        changed = self.model_copy()
        changed._activated = activated
        return changed

    @property
    def serves_api(self) -> bool:
        return self.role != "tracker"

    @property
    def tracks(self) -> bool:
        return self.role != "api"

    @classmethod
    def load(cls, arguments: Sequence[str] = ()) -> Self:
        """The settings of this process: `--role` of its command line, then the environment. Raises StartRefused."""
        parser = argparse.ArgumentParser(cls.service, description="Settings come from QORGAU_ variables (README.md).")
        parser.add_argument("--role", choices=get_args(Role), help="what this process does of it (QORGAU_ROLE)")
        role = parser.parse_args(arguments).role
        try:
            return cls() if role is None else cls(role=role)
        except ValidationError as error:
            raise StartRefused("\n".join(map(complaint, error.errors(include_input=False)))) from None
        except SettingsError:
            # Raised for what cannot even be read as JSON, with words that may hold it.
            raise StartRefused("QORGAU_OWNERS: it is no JSON object") from None
