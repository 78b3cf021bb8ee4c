"""Where Kafka is and how its brokers are spoken to: encrypted or not, and as whom. `bus/` makes its clients of it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
PREFIX = "QORGAU_"
_PROTOCOL = "QORGAU_KAFKA_SECURITY_PROTOCOL"
# A password file with more is none.
_MOST = 1_024


@dataclass(frozen=True, slots=True)
class Login:
    """As whom the brokers know us."""

    mechanism: Mechanism
    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Brokers:
    """Addresses of brokers, `HOST:PORT,…`. With `encrypted` their certificates are checked against those of `ca_file`,
    or those the system trusts."""

    address: str
    encrypted: bool = False
    ca_file: Path | None = None
    login: Login | None = None

    @property
    def protocol(self) -> Protocol:
        """What Kafka calls it."""
        if self.login is None:
            return "SSL" if self.encrypted else "PLAINTEXT"
        return "SASL_SSL" if self.encrypted else "SASL_PLAINTEXT"


Address = str | Brokers
"""Brokers, or only their addresses where nothing is encrypted and nobody logs in."""


def _some_certificates(path: Path) -> Path:
    try:
        if "BEGIN CERTIFICATE" not in path.read_text(encoding="ascii", errors="replace"):
            raise ValueError("it has no certificate in PEM form")
    except OSError:
        raise ValueError("it cannot be read") from None
    return path


def _some_password(path: Path) -> Path:
    _password(path)
    return path


def _password(path: Path) -> SecretStr:
    """The only line of a file. Raises ValueError."""
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise ValueError("it cannot be read") from None
    if not text or len(text) > _MOST or not text.isprintable():
        raise ValueError("it must hold the password, in one line, and nothing else")
    return SecretStr(text)


class KafkaSecurity(BaseSettings):
    """The settings that say how brokers are spoken to, of services and commands alike."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    kafka_security_protocol: Protocol = "PLAINTEXT"
    kafka_ca_file: Annotated[Path, AfterValidator(_some_certificates)] | None = None
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_username: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    # A file and not a variable: an environment is seen by more than one process.
    kafka_password_file: Annotated[Path, AfterValidator(_some_password)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """What is set and has no effect is refused: somebody believes that it protects something."""
        protocol, logs_in = self.kafka_security_protocol, self.kafka_security_protocol.startswith("SASL")
        if logs_in != (self.kafka_username is not None) or logs_in != (self.kafka_password_file is not None):
            why = f"{protocol} needs both" if logs_in else f"they have no effect without SASL in {_PROTOCOL}"
            raise ValueError(f"QORGAU_KAFKA_USERNAME, QORGAU_KAFKA_PASSWORD_FILE: {why}")
        if self.kafka_ca_file is not None and not protocol.endswith("SSL"):
            raise ValueError("QORGAU_KAFKA_CA_FILE: it has no effect without SSL in " + _PROTOCOL)
        if protocol == "SASL_PLAINTEXT" and self.kafka_sasl_mechanism == "PLAIN":
            raise ValueError("QORGAU_KAFKA_SASL_MECHANISM: PLAIN sends the password as it is; only with SASL_SSL")
        return self

    def brokers_at(self, address: str) -> Brokers:
        """The brokers at these addresses, with what is set; the password is read here, once."""
        login = None
        if self.kafka_username is not None and self.kafka_password_file is not None:
            login = Login(self.kafka_sasl_mechanism, self.kafka_username, _password(self.kafka_password_file))
        return Brokers(address, self.kafka_security_protocol.endswith("SSL"), self.kafka_ca_file, login)


def complaint(problem: ErrorDetails) -> str:
    """What is wrong with a setting, by the name of its variable."""
    words = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return words
    name = PREFIX + str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set. `qorgau up` sets it; for a service of its own see README.md."
    return f"{name}: {words}"


def brokers_of_environment(address: str | None) -> Brokers | None:
    """For a command: the brokers at this address or else at QORGAU_KAFKA, None where neither says one.

    Raises ValueError for settings that cannot be, in words that repeat no value.
    """
    found = address or os.environ.get("QORGAU_KAFKA")
    if not found:
        return None
    try:
        return KafkaSecurity().brokers_at(found)
    except ValidationError as error:
        raise ValueError("; ".join(map(complaint, error.errors(include_input=False)))) from None
