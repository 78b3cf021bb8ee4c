"""How brokers are spoken to: what the library is given, what is refused, and that a password shows nowhere."""

import os
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from court_tracker.settings import Settings
from qorgau.brokers import PREFIX, Brokers, brokers_of_environment
from qorgau.bus import GroupReader, InboundReader, Producer
from qorgau.bus.connecting import ANSWER_WITHIN, options
from qorgau.starting import StartRefused
from qorgau.telemetry import Metrics

PASSWORD = "Aigul-860412400123"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in {"KAFKA": "broker:9093", "MONGO": "mongodb://db", "TOKEN_KEY": "k" * 32}.items():
        monkeypatch.setenv(PREFIX + name, value)
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return monkeypatch


@pytest.fixture
def login(environment: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    given = {"SECURITY_PROTOCOL": "SASL_SSL", "USERNAME": "court", "PASSWORD_FILE": str(tmp_path / "password")}
    for name, value in given.items():
        environment.setenv(f"QORGAU_KAFKA_{name}", value)
    return environment


def given() -> dict[str, Any]:
    made = options(Settings.load().brokers, ANSWER_WITHIN)
    return {name: made[name] for name in made if name.startswith(("s", "bootstrap"))}


def test_without_a_word_nothing_is_encrypted_and_nobody_logs_in() -> None:
    assert given() == {"bootstrap_servers": "broker:9093", "security_protocol": "PLAINTEXT"}
    assert options("broker:9093", ANSWER_WITHIN) == options(Brokers("broker:9093"), ANSWER_WITHIN)


def test_encrypted_the_certificate_of_a_broker_and_its_name_are_checked(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("QORGAU_KAFKA_SECURITY_PROTOCOL", "SSL")
    environment.setenv("QORGAU_KAFKA_CA_FILE", certifi.where())
    made = given()
    context = made.pop("ssl_context")
    assert made == {"bootstrap_servers": "broker:9093", "security_protocol": "SSL"}
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 0


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "SCRAM-SHA-256"])
def test_a_login_is_made_of_the_name_and_the_file(login: pytest.MonkeyPatch, mechanism: str) -> None:
    login.setenv("QORGAU_KAFKA_SASL_MECHANISM", mechanism)
    made = given()
    assert isinstance(made.pop("ssl_context"), ssl.SSLContext)
    assert made == {
        "bootstrap_servers": "broker:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism or "SCRAM-SHA-512",
        "sasl_plain_username": "court",
        "sasl_plain_password": PASSWORD,
    }


def test_a_scrambled_login_needs_no_encryption(login: pytest.MonkeyPatch) -> None:
    login.setenv("QORGAU_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    made = given()
    assert (made["security_protocol"], made["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert "ssl_context" not in made


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SECURITY_PROTOCOL": "SSL"}, "KAFKA_USERNAME"),
        ({"SECURITY_PROTOCOL": "ssl"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"USERNAME": ""}, "KAFKA_USERNAME"),
        ({"PASSWORD_FILE": ""}, "KAFKA_PASSWORD_FILE"),
        ({"PASSWORD_FILE": "/nowhere"}, "KAFKA_PASSWORD_FILE"),
        ({"PASSWORD_FILE": "empty"}, "KAFKA_PASSWORD_FILE"),
        ({"PASSWORD_FILE": "two-lines"}, "KAFKA_PASSWORD_FILE"),
        ({"SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
        ({"SASL_MECHANISM": "PLAIN", "SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "KAFKA_SASL_MECHANISM"),
        ({"CA_FILE": "password"}, "KAFKA_CA_FILE"),
        ({"CA_FILE": "/nowhere"}, "KAFKA_CA_FILE"),
        ({"CA_FILE": "ca", "SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "KAFKA_CA_FILE"),
    ],
)
def test_what_cannot_be_or_has_no_effect_is_refused_by_name_at_the_start_and_by_commands(
    login: pytest.MonkeyPatch, tmp_path: Path, changed: dict[str, str], named: str
) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "two-lines").write_text(f"{PASSWORD}\n{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "ca").write_text("-----BEGIN CERTIFICATE-----", encoding="utf-8")
    for name, value in changed.items():
        file = name.endswith("FILE") and value
        login.setenv(f"QORGAU_KAFKA_{name}", str(tmp_path / value) if file else value)
    with pytest.raises(StartRefused) as refused:
        Settings.load()
    with pytest.raises(ValueError) as no_command:  # noqa: PT011  # the words are looked at below
        brokers_of_environment(None)
    for words in (str(refused.value), str(no_command.value)):
        assert f"QORGAU_{named}" in words
        assert PASSWORD not in words
        assert str(tmp_path) not in words


def test_the_password_shows_in_no_text_of_what_holds_it(login: pytest.MonkeyPatch) -> None:
    settings = Settings.load()
    brokers = settings.brokers
    for holder in (settings, brokers, settings.model_dump(), settings.model_dump_json(), brokers.login):
        assert PASSWORD not in f"{holder!r} {holder}"


async def test_every_client_speaks_as_it_was_told(login: pytest.MonkeyPatch) -> None:
    brokers: Any = Settings.load().brokers
    nothing: Any = None
    reader = GroupReader(brokers, "g", "i", ["t"], positions=nothing, revoked=nothing, assigned=nothing)
    for made in (reader._settings, InboundReader(brokers, "g", "i")._settings):
        assert (made["security_protocol"], made["sasl_plain_password"]) == ("SASL_SSL", PASSWORD)
    producer = Producer(brokers, Metrics())
    assert PASSWORD not in f"{reader!r} {producer!r}"


def test_a_command_speaks_to_kafka_as_the_services_do(login: pytest.MonkeyPatch) -> None:
    found = brokers_of_environment("elsewhere:9093")
    assert found is not None
    assert (found.address, found.protocol) == ("elsewhere:9093", "SASL_SSL")
    assert brokers_of_environment(None) == Settings.load().brokers
    login.delenv("QORGAU_KAFKA")
    assert brokers_of_environment(None) is None
