"""docker-compose.yml is a compose file as the specification has it, hardened, and sets only what a service reads."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests/schemas/compose-spec.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    path.parent.name.replace("_", "-"): path.parent.name for path in ROOT.glob("services/*/*/__init__.py")
}  # intake -> intake, police-dispatch -> police_dispatch
VARIABLE = re.compile(r"\$\{(\w+)(:[?-][^}]*)?\}")


def problems(compose: object) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(compose)]


def settings(service: str) -> dict[str, str]:
    return {name: value for name, value in SERVICES[service]["environment"].items() if name.startswith("QORGAU_")}


def test_it_is_valid_by_the_schema_of_the_specification() -> None:
    assert not problems(COMPOSE)


def test_the_schema_refuses_a_misspelt_key() -> None:
    assert problems({"services": {"intake": {"image": "qorgau", "healthchek": {"test": "true"}}}})


def test_it_starts_the_four_services_and_two_servers() -> None:
    assert set(SERVICES) == set(OURS) | {"kafka", "mongo"}
    assert len(OURS) == 4


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"}
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_runs_as_root(name: str) -> None:
    # Ours by the image (test_image.py); the servers' images start as root or may one day.
    assert SERVICES[name].get("user", "image") not in ("root", "0", "0:0")
    assert ("user" in SERVICES[name]) == (name not in OURS)


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_is_a_version_and_each_container_tells_its_health(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.fullmatch(r"\d+(\.\d+)+", tag)
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", OURS)
def test_a_service_waits_until_both_servers_are_healthy(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {server: {"condition": "service_healthy"} for server in ("kafka", "mongo")}


@pytest.mark.parametrize(("name", "package"), OURS.items())
def test_a_service_starts_its_own_module_under_its_own_name(name: str, package: str) -> None:
    assert SERVICES[name]["command"] == [f"{package}.main"]
    assert settings(name)["QORGAU_INSTANCE"] == f"{name}-1"


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_set_by_documented_names_only(name: str) -> None:
    documented = set(re.findall(r"QORGAU_\w+", (ROOT / "docs/design.md").read_text(encoding="utf-8")))
    assert settings(name).keys() <= documented
    assert settings(name).keys() >= {"QORGAU_KAFKA", "QORGAU_MONGO", "QORGAU_PORT", "QORGAU_TOKEN_KEY"}


def test_addresses_name_the_servers_and_ports_of_the_file() -> None:
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for name in OURS:
        assert listeners == f"PLAINTEXT://{settings(name)['QORGAU_KAFKA']}"
        assert settings(name)["QORGAU_MONGO"].startswith("mongodb://mongo:")


def test_the_token_key_is_asked_for_and_never_written_down() -> None:
    keys = {settings(name)["QORGAU_TOKEN_KEY"] for name in OURS}
    assert len(keys) == 1
    name, default = VARIABLE.fullmatch(keys.pop()).groups()  # type: ignore[union-attr]  # no match fails the test
    assert name == "QORGAU_TOKEN_KEY"
    assert default.startswith(":?")


def test_apis_are_published_on_loopback_and_servers_not_at_all() -> None:
    published = [port for name in OURS for port in SERVICES[name]["ports"]]
    assert len(set(published)) == len(OURS)
    for name in OURS:
        for port in SERVICES[name]["ports"]:
            assert re.fullmatch(rf"127\.0\.0\.1:\d+:{settings(name)['QORGAU_PORT']}", port)
    for server in ("kafka", "mongo"):
        assert "ports" not in SERVICES[server]
        assert SERVICES[server]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_the_log_never_expires() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_RETENTION_MS"] == "-1"
