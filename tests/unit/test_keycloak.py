"""The realm for Keycloak gives every client the claims that services expect; checked by reading, not by a server."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from qorgau.identity.claims import sender_of
from qorgau.identity.sender import SCOPES, Role
from qorgau.identity.sources import source_of

FOLDER = Path(__file__).parents[2] / "deploy/keycloak"
SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/compose-spec.json").read_text(encoding="utf-8"))
REALM = json.loads((FOLDER / "realm.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))
BASE = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text(encoding="utf-8"))
CLIENTS: dict[str, dict[str, Any]] = {client["clientId"]: client for client in REALM["clients"]}
SHARED = {scope["name"]: scope for scope in REALM["clientScopes"]}


def claims_of(client: dict[str, Any]) -> dict[str, Any]:
    """What Keycloak would put into a token of this client, as its documentation has it."""
    made: dict[str, Any] = {"iss": "issuer", "iat": time.time(), "exp": time.time() + REALM["accessTokenLifespan"]}
    scopes = [SHARED[name] for name in client["defaultClientScopes"]]
    shown = [scope["name"] for scope in scopes if scope["attributes"]["include.in.token.scope"] == "true"]
    made["scope"] = " ".join(shown)
    for mapper in [*client["protocolMappers"], *(one for scope in scopes for one in scope.get("protocolMappers", []))]:
        config = mapper["config"]
        assert config["access.token.claim"] == "true"
        match mapper["protocolMapper"]:
            case "oidc-hardcoded-claim-mapper":
                value = config["claim.value"]
                made[config["claim.name"]] = json.loads(value) if config["jsonType.label"] == "JSON" else value
            case "oidc-audience-mapper":
                made["aud"] = config["included.custom.audience"]
            case "oidc-sub-mapper":
                made["sub"] = "3f0e"
    return made


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_gets_a_token_that_a_service_reads(name: str) -> None:
    client = CLIENTS[name]
    claims = claims_of(client)
    assert claims["aud"] == "qorgau"
    sender = sender_of(claims)
    assert sender.scopes <= SCOPES
    assert sender.scopes == set(client["defaultClientScopes"]) - {"qorgau"}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_has_its_own_secret_that_is_written_nowhere_and_no_other_way_in(name: str) -> None:
    client = CLIENTS[name]
    variable = re.fullmatch(r"\$\{(\w+)\}", client["secret"])
    assert variable is not None
    assert COMPOSE["services"]["keycloak"]["environment"][variable[1]].startswith(f"${{{variable[1]}:?")
    assert client["serviceAccountsEnabled"]
    assert not client["publicClient"]
    assert not any(client[flow] for flow in ("standardFlowEnabled", "implicitFlowEnabled", "directAccessGrantsEnabled"))
    assert len({one["secret"] for one in CLIENTS.values()}) == len(CLIENTS)


def test_there_is_a_client_for_each_kind_of_role_and_who_watches_may_only_read() -> None:
    by_role = {sender_of(claims_of(client)).role: client for client in CLIENTS.values()}
    assert set(by_role) == {Role.DESK, Role.SUPERVISOR, Role.WATCHDOG}
    assert set(by_role[Role.WATCHDOG]["defaultClientScopes"]) == {"qorgau", "cases:read", "flags:read"}


def test_every_scope_can_be_given_and_there_is_no_other() -> None:
    assert set(SHARED) == SCOPES | {"qorgau"}
    assert REALM["defaultSignatureAlgorithm"] in ("ES256", "RS256", "EdDSA")


def test_the_services_ask_the_issuer_inside_and_expect_the_name_it_has_outside() -> None:
    assert not list(Draft202012Validator(SCHEMA).iter_errors(COMPOSE))
    keycloak = COMPOSE["services"]["keycloak"]
    for name, service in COMPOSE["services"].items():
        if name != "keycloak":
            own = service["environment"]
            assert source_of(own["QORGAU_JWKS"]).url.startswith("http://keycloak:8080/realms/qorgau/")  # type: ignore[union-attr]
            assert own["QORGAU_ISSUER"] == f"{keycloak['environment']['KC_HOSTNAME']}/realms/{REALM['realm']}"
            assert set(keycloak["networks"]) <= set(BASE["services"][name]["networks"])
    assert set(COMPOSE["services"]) == set(BASE["services"]) - {"kafka", "mongo"} | {"keycloak"}
    assert keycloak["ports"] == ["127.0.0.1:8180:8080"]
    assert keycloak["volumes"] == ["./deploy/keycloak/realm.json:/opt/keycloak/data/import/realm.json:ro"]
