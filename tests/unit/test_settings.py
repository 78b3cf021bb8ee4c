"""Settings: what the environment says, what is refused, and that no refusal repeats a value."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from court_tracker.settings import Settings as Court
from intake.settings import Settings as Intake
from notifier.settings import Settings as Notifier
from police_dispatch.settings import Settings as Police
from qorgau.embedded.data import default_policy
from qorgau.instants import parse_duration
from qorgau.settings import PREFIX
from qorgau.starting import StartRefused

KEY = "k" * 32
SECRET = "Aigerim-87011234567"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in {"KAFKA": "broker:9092", "MONGO": "mongodb://db", "TOKEN_KEY": KEY}.items():
        monkeypatch.setenv(PREFIX + name, value)
    return monkeypatch


def test_with_the_servers_and_the_key_all_else_has_a_default() -> None:
    settings = Police.load()
    assert (settings.kafka, settings.mongo) == ("broker:9092", "mongodb://db")
    assert settings.token_key.get_secret_value() == KEY
    assert settings.policy == default_policy()
    assert (settings.host, settings.port) == ("127.0.0.1", 8102)
    assert settings.database_name == "qorgau_police_dispatch"
    assert settings.clock is None
    assert settings.crash_at is None
    assert settings.serves_api
    assert settings.tracks


def test_an_empty_variable_is_one_that_is_not_set(environment: pytest.MonkeyPatch) -> None:
    for name in ("CLOCK", "CRASH_AT", "PORT", "INSTANCE", "POLICY"):
        environment.setenv(PREFIX + name, "")
    settings = Intake.load()
    assert (settings.clock, settings.port) == (None, 8101)
    assert settings.instance


@pytest.mark.parametrize(
    ("role", "serves", "tracks"), [("api", True, False), ("tracker", False, True), ("all", True, True)]
)
def test_the_role_on_the_command_line_outdoes_the_environment(
    environment: pytest.MonkeyPatch, role: str, serves: bool, tracks: bool
) -> None:
    environment.setenv("QORGAU_ROLE", "all" if role == "api" else "api")
    settings = Intake.load(["--role", role])
    assert (settings.serves_api, settings.tracks) == (serves, tracks)


def test_a_duration_has_the_form_of_the_policy_and_no_other(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("QORGAU_AHEAD", "PT90M")
    assert Intake.load().ahead == timedelta(minutes=90)
    for text in ("P1M", "15:00", "86400", "PT0S"):
        environment.setenv("QORGAU_AHEAD", text)
        with pytest.raises(StartRefused, match="QORGAU_AHEAD"):
            Intake.load()


@pytest.mark.parametrize("name", ["KAFKA", "MONGO", "TOKEN_KEY"])
def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(PREFIX + name)
    with pytest.raises(StartRefused, match=f"QORGAU_{name} is not set"):
        Intake.load()


@pytest.mark.parametrize(
    "name",
    [
        *("TOKEN_KEY", "POLICY", "PORT", "ROLE", "PARTITIONS", "REPLICATION", "CASE_FACTS", "AHEAD", "BATCH_FACTS"),
        *("DATABASE", "CRASH_AT", "OWNERS"),
    ],
)
def test_a_refusal_names_the_variable_and_repeats_no_value(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(PREFIX + name, SECRET)
    with pytest.raises(StartRefused) as refused:
        Notifier.load()
    assert f"QORGAU_{name}" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_several_refusals_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("QORGAU_PORT", "70000")
    environment.setenv("QORGAU_INSTANCE", "a b")
    with pytest.raises(StartRefused) as refused:
        Intake.load()
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["QORGAU_PORT", "QORGAU_INSTANCE"]


def test_the_notifier_knows_where_flags_are_explained(environment: pytest.MonkeyPatch) -> None:
    owners = {"intake": "http://127.0.0.1:8101", "court-tracker": "https://court.example"}
    environment.setenv("QORGAU_OWNERS", json.dumps(owners))
    assert Notifier.load().owners == owners
    for wrong in ({"nobody": "http://x"}, {"intake": "file:///etc/passwd"}, ["intake"]):
        environment.setenv("QORGAU_OWNERS", json.dumps(wrong))
        with pytest.raises(StartRefused, match="QORGAU_OWNERS"):
            Notifier.load()


def test_the_key_shows_in_no_text_of_the_settings() -> None:
    settings = Intake.load()
    assert KEY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


DOCUMENTED = Path(__file__).parents[2] / "docs/settings.md"


def test_every_setting_is_documented_with_its_default_and_no_other_is() -> None:
    rows = re.findall(r"^\| `QORGAU_(\w+)` \| (.+?) \|", DOCUMENTED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    fields = {name.upper(): field for name, field in {**Notifier.model_fields, **Intake.model_fields}.items()}
    assert {name for name, _ in rows} == fields.keys()
    for name, default in rows:
        shown = re.fullmatch(r"`([^`]+)`", default)
        if shown is not None:
            value = parse_duration(shown[1]) if name == "AHEAD" else shown[1]
            known = fields[name].default
            assert str(value) == str(known // timedelta(microseconds=1) if name == "AHEAD" else known)
        assert (default == "required") == fields[name].is_required()


def test_every_service_listens_on_the_port_that_is_documented() -> None:
    text = DOCUMENTED.read_text(encoding="utf-8")
    for settings in (Intake, Police, Court, Notifier):
        assert f"{settings.service} `{settings.model_fields['port'].default}`" in text
