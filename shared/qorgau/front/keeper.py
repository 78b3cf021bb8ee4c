"""What the three services that keep cases have in common over HTTP: facts in, references in, cases and flags out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, FastAPI

from qorgau.front.answers import CASE_SCHEMAS
from qorgau.front.attributing import ATTRIBUTION_SCHEMAS, attribution_router
from qorgau.front.casefeed import EVENT_SCHEMAS, CaseFeed, case_feed_router
from qorgau.front.describe import fact_schemas
from qorgau.front.posting import Posting, facts_router
from qorgau.front.reading import Reading, cases_router
from qorgau.front.registering import Registry, references_router
from qorgau.front.rulebook import RULE_SCHEMAS, Rulebook, rules_router
from qorgau.identity.access import Access
from qorgau.service import Ready, build_app

_SCHEMAS: Mapping[str, Any] = MappingProxyType({**CASE_SCHEMAS, **EVENT_SCHEMAS, **ATTRIBUTION_SCHEMAS, **RULE_SCHEMAS})


@dataclass(frozen=True, slots=True)
class Keeper:
    """The parts of one such service, built by its composition root; `api`: whether this process serves it."""

    posting: Posting
    registry: Registry
    reading: Reading
    rules: Rulebook
    ready: Ready
    access: Access
    feed: CaseFeed
    api: bool = True

    def app(self, *own: APIRouter, schemas: Mapping[str, Any] = MappingProxyType({})) -> FastAPI:
        """The application: the common routes and those that only this service has, with their schemas."""
        common = (
            facts_router(self.posting, self.access),
            references_router(self.registry, self.access),
            cases_router(self.reading, self.access),
            case_feed_router(self.feed, self.access),
            attribution_router(self.reading, self.access),
            rules_router(self.rules, self.access),
        )
        return build_app(
            self.reading.service,
            (*own, *common),
            ready=self.ready,
            metrics=self.posting.metrics,
            schemas={**_SCHEMAS, **fact_schemas(self.posting.door.models), **schemas},
            api=self.api,
        )
