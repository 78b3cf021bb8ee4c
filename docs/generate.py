"""Makes the documents in docs/api, and the order of service, of code and policy: `make docs`. Tests compare them with
what this would make now."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from docs.policy_page import policy_page
from docs.season_figures import figures_of
from fastapi import FastAPI

import court_tracker.api
import court_tracker.domain
import intake.api
import intake.domain
import notifier.api
import police_dispatch.api
import police_dispatch.domain
from court_tracker.courts import courts_router
from court_tracker.feed import hearing_feed_router
from intake.api import vault_routers
from intake.export import export_router
from intake.reports import Reports
from intake.sanctions_routes import sanctions_router
from intake.statistics.routes import statistics_router
from intake.vault.assembling import Vault
from notifier.api import event_schema, flags_router
from police_dispatch.regrading_routes import regrading_router
from qorgau.embedded.data import default_policy, default_titles
from qorgau.facts import event_type
from qorgau.feeds.routes import feeds_router
from qorgau.front.attributing import attribution_sums_router
from qorgau.front.capacity import capacity_router
from qorgau.front.describe import fact_schemas
from qorgau.front.door import Door
from qorgau.front.keeper import Keeper
from qorgau.front.kpis import kpis_router
from qorgau.front.limits import Limiter
from qorgau.front.monthly import Months
from qorgau.front.posted import Models
from qorgau.front.posting import Posting
from qorgau.front.reading import Reading
from qorgau.identity.access import Access
from qorgau.identity.tokens import KEY_BYTES
from qorgau.measures.capacity import EXAMS, SHELTERS
from qorgau.parity.routes import parity_router
from qorgau.policy import load_policy
from qorgau.service import VERSION, Readiness
from qorgau.state.routes import lists_router
from qorgau.telemetry import Metrics
from qorgau.titles import load_titles
from qorgau.vocabulary import (
    AUDIT_TOPIC,
    COURT,
    FLAGS_TOPIC,
    INTAKE,
    NOTIFIER,
    POLICE,
    POLICIES_TOPIC,
    REFERENCES_TOPIC,
    copies_topic,
    dlq,
    facts_topic,
)

API = Path(__file__).parent / "api"
MODELS: Mapping[str, Models] = {
    INTAKE: intake.domain.FACTS,
    POLICE: police_dispatch.domain.FACTS,
    COURT: court_tracker.domain.FACTS,
}
_KEY = "k" * KEY_BYTES
_NOBODY: Any = None
_CHANGES = {
    "raised": "A flag is up",
    "updated": "The due of a flag that stays up has moved",
    "escalated": "A flag has reached a step of its ladder",
    "cleared": "A flag is down, with its outcome",
}
_TEXT = {"type": "string"}


def documents() -> dict[str, str]:
    """The files of docs/api by name, with their content."""
    made = {f"{name}.openapi.json": json.dumps(app.openapi(), indent=1) + "\n" for name, app in apps().items()}
    made["asyncapi.yaml"] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)
    return made


def pages() -> dict[str, str]:
    """The files of docs by name that are made of the policy."""
    policy = load_policy(default_policy())
    return {"policy.md": policy_page(policy, load_titles(default_titles()), figures_of(policy))}


def asyncapi() -> dict[str, Any]:
    """The topics and what is in them, as AsyncAPI 3.0."""
    channels = {_channel(facts_topic(service)): _facts_channel(service) for service in MODELS}
    inbound = {name: {"$ref": f"#/components/messages/{name}"} for models in MODELS.values() for name in models}
    channels["inbound"] = {
        "address": "qorgau.inbound.{agency}",
        "description": "Written by an agency itself, its `/` as `.`; checked like a posted fact and re-published.",
        "parameters": {"agency": {"description": "KIND.UNIT, such as 102.KZ-75"}},
        "messages": inbound,
    }
    channels["copies"] = {
        "address": "{topic}.copies",
        "description": f"Internal, such as {copies_topic(INTAKE)}: facts of other cases, keyed by the case that hears "
        "of them because one of its rules looks there. Kept for ever.",
        "parameters": {"topic": {"description": "qorgau.intake, qorgau.police or qorgau.court"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in MODELS[INTAKE]},
    }
    channels["flags"] = {
        "address": FLAGS_TOPIC,
        "description": "Keyed by case. Go by `seq`, and ignore what is not newer than what you have.",
        "messages": {change: {"$ref": f"#/components/messages/flag.{change}"} for change in _CHANGES},
    }
    channels["references"] = {
        "address": REFERENCES_TOPIC,
        "description": "Keyed by the digest of an official number under a secret key; the number itself is nowhere.",
        "messages": {"reference": {"payload": _object(case=_TEXT)}},
    }
    channels["audit"] = {
        "address": AUDIT_TOPIC,
        "description": "Where each service's audit chain ended, now and then; keyed by service. Kept for ever.",
        "messages": {"anchor": {"payload": _anchor()}},
    }
    channels["policies"] = {
        "address": POLICIES_TOPIC,
        "description": "Written by `qorgau policy activate`, one partition: in force is the policy with the greatest "
        "`from` that has come, of two with the same the later. Kept for ever.",
        "messages": {"activation": {"payload": _activation()}},
    }
    channels["dead-letters"] = {
        "address": "{topic}.dlq",
        "description": f"What could not be read, such as {dlq(FLAGS_TOPIC)}: where it was and why, never what it was.",
        "parameters": {"topic": {"description": "The topic it was in"}},
        "messages": {"letter": {"payload": _letter()}},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Qorgau on Kafka",
            "version": VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary mode.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            "follow-flags": {"action": "receive", "channel": {"$ref": "#/channels/flags"}},
            "post-facts": {"action": "send", "channel": {"$ref": "#/channels/inbound"}},
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _facts_channel(service: str) -> dict[str, Any]:
    return {
        "address": facts_topic(service),
        "description": "Keyed by case, or by court or region where a fact is about no case. Kept for ever.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in MODELS[service]},
    }


def _messages() -> dict[str, Any]:
    facts = {name: (event_type(name), model.__doc__) for models in MODELS.values() for name, model in models.items()}
    found = {name: _message(kind, words or "", f"{name}.data") for name, (kind, words) in facts.items()}
    flags = {f"flag.{c}": _message(f"qorgau.flag.{c}.v1", words, "Flag") for c, words in _CHANGES.items()}
    return found | flags


def _message(kind: str, words: str, schema: str) -> dict[str, Any]:
    headers = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _TEXT,
        "ce_source": _TEXT,
        "ce_type": {"const": kind},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": _TEXT | {"description": "The case"},
    }
    if schema != "Flag":
        headers["ce_recordedtime"] = {"type": "string", "format": "date-time"}
    return {
        "name": kind,
        "summary": " ".join(words.split()),
        "headers": {"type": "object", "properties": headers},
        "payload": {"$ref": f"#/components/schemas/{schema}"},
    }


def _schemas() -> dict[str, Any]:
    data = {k: v for models in MODELS.values() for k, v in fact_schemas(models).items() if k.endswith(".data")}
    return data | {"Flag": event_schema()}


def _letter() -> dict[str, Any]:
    number, digest = {"type": "integer"}, {"type": ["string", "null"], "description": "SHA-256, in hex"}
    places = {"topic": _TEXT, "partition": number, "offset": number, "reason": _TEXT, "size": number}
    return _object(**places, value_sha256=digest, key_sha256=digest)


def _anchor() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    digest = _TEXT | {"description": "SHA-256 of that entry, in hex"}
    at = {"type": "string", "format": "date-time"}
    return _object(service=_TEXT, deployment=_TEXT, seq=number, hash=digest, at=at)


def _activation() -> dict[str, Any]:
    begins = {"type": "string", "format": "date-time"}
    text = _TEXT | {"description": "The text of the policy file"}
    return _object(**{"from": begins}, id=_TEXT, version=_TEXT, fingerprint=_TEXT, policy=text)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _channel(topic: str) -> str:
    return topic.removeprefix("qorgau.").replace(".", "-")


def apps(access: Access | None = None) -> dict[str, FastAPI]:
    """The applications of all services, with nobody behind them."""
    access = access or Access(_NOBODY, Limiter(), Metrics())
    keepers = {service: _keeper(service, access) for service in MODELS}
    reports = Reports(keepers[INTAKE].posting.door, _NOBODY, _KEY, Metrics())
    vault = vault_routers(Vault(_NOBODY, _NOBODY, _NOBODY, _NOBODY), reports.door, access)
    export = export_router(keepers[INTAKE].reading, _NOBODY, _NOBODY, access)
    months = Months(_NOBODY, int)
    regrading = regrading_router(keepers[POLICE].reading, _NOBODY, months, access)
    doctors, places = (capacity_router(of, _NOBODY, _NOBODY, months, access) for of in (EXAMS, SHELTERS))
    decided = sanctions_router(_NOBODY, months, access)
    kpis = kpis_router(_NOBODY, months, access)
    sums = attribution_sums_router(_NOBODY, access, int)
    feeds = feeds_router(_NOBODY, access)
    own = (statistics_router(_NOBODY, int, access), feeds, sums, kpis, decided, places, export, *vault)
    router = flags_router(_NOBODY, _NOBODY, {}, _NOBODY, access)
    return {
        INTAKE: intake.api.build_api(keepers[INTAKE], reports, *own),
        POLICE: police_dispatch.api.build_api(
            keepers[POLICE],
            parity_router(POLICE, _NOBODY, access),
            lists_router(police_dispatch.api.LISTS, _NOBODY, int, _NOBODY, access),
            kpis,
            regrading,
            doctors,
        ),
        COURT: court_tracker.api.build_api(
            keepers[COURT],
            parity_router(COURT, _NOBODY, access),
            lists_router(court_tracker.api.LISTS, _NOBODY, int, _NOBODY, access),
            courts_router(_NOBODY, _NOBODY, int, access),
            kpis,
            hearing_feed_router(_NOBODY, access),
        ),
        NOTIFIER: notifier.api.build_api(router, _ready, Metrics()),
    }


def _keeper(service: str, access: Access) -> Keeper:
    door = Door(service, MODELS[service], frozenset(), int, _KEY)
    posting = Posting(door, _NOBODY, _NOBODY, Metrics(), _NOBODY)
    return Keeper(posting, _NOBODY, Reading(service, _NOBODY, _NOBODY), _NOBODY, _ready, access, _NOBODY)


async def _ready() -> Readiness:
    return Readiness(True)


if __name__ == "__main__":
    API.mkdir(exist_ok=True)
    for name, content in documents().items():
        (API / name).write_text(content, encoding="utf-8")
    for name, content in pages().items():
        (API.parent / name).write_text(content, encoding="utf-8")
