"""The routes by which the rows of a service are read: one a list, all with the same filters, cursors, entity tags."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from qorgau.errors import Invalid
from qorgau.feeds.certainty import Doubts
from qorgau.feeds.marking import Doubting, marked_waits
from qorgau.front.answers import TEXT, Responses, answer, page_of, ref, structure
from qorgau.front.envelope import JSON
from qorgau.front.paging import LIMIT, etag, key_of, not_modified, page
from qorgau.front.posted import REFERENCE
from qorgau.front.reading import Cursor, Known, Limit
from qorgau.identity.access import Access
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant, parse_instant
from qorgau.service import v1
from qorgau.state.book import ListBook, Wanted

_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}
WORD = r"^[a-z0-9_-]{1,40}$"
CODE = r"^[A-Za-z0-9/_.-]{1,80}$"
_TAGGED = {"ETag": {"schema": TEXT, "required": True, "description": "Of this answer; for If-None-Match"}}


@dataclass(frozen=True, slots=True)
class ListRoute:
    """A list of a service: the kind of its rows, which is the last part of its path, and what it says in the
    description. `item`: the schema of what a row of it has besides what all rows have."""

    kind: str
    tag: str
    summary: str
    item: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> str:
        """The name of a row in the description of the service."""
        return "".join(word.capitalize() for word in self.kind.rstrip("s").split("-")) + "Row"


def list_schemas(lists: Sequence[ListRoute]) -> dict[str, Any]:
    """The schemas of the rows of these lists."""
    return {one.schema: _row_schema(one.item) for one in lists}


def lists_router(
    lists: Sequence[ListRoute], book: ListBook, now: Callable[[], int], doubting: Doubting, access: Access
) -> APIRouter:
    """One route a list. `now`: logical time in microseconds, by which a row is overdue; `doubting`: what is uncertain
    then."""
    router = v1()
    for one in lists:
        _add(router, one, book, now, doubting, access)
    return router


def _add(
    router: APIRouter, one: ListRoute, book: ListBook, now: Callable[[], int], doubting: Doubting, access: Access
) -> None:
    answers: Responses = {
        200: answer("The earliest due first; what nobody has to act on last", page_of(ref(one.schema)), JSON, _TAGGED),
        304: {"description": "It is the answer that If-None-Match names", "headers": _TAGGED},
    }

    @router.get(
        f"/{one.kind}", name=f"get_{one.kind.replace('-', '_')}", tags=[one.tag], summary=one.summary, responses=answers
    )
    async def get_list(
        sender: Annotated[Sender, Depends(access)],
        case: Annotated[str | None, Query(pattern=REFERENCE)] = None,
        region: Annotated[str | None, Query(pattern=CODE)] = None,
        state: Annotated[str | None, Query(pattern=WORD)] = None,
        agency: Annotated[str | None, Query(pattern=CODE)] = None,
        court: Annotated[str | None, Query(pattern=CODE)] = None,
        overdue: Annotated[bool, Query(description="Only what is past its due now")] = False,
        due_before: Annotated[str | None, Query(description="ISO 8601 with an offset")] = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        if_none_match: Known = None,
    ) -> Response:
        named = {"case": case, "region": region, "state": state, "agency": agency, "court": court}
        at = now()
        before = [at] if overdue else []
        before += [_instant(due_before)] if due_before is not None else []
        wanted = Wanted({name: value for name, value in named.items() if value is not None}, min(before, default=None))
        found = await book.page(one.kind, wanted, sender, key_of(cursor), limit + 1)
        doubts = await doubting()
        body = orjson.dumps(shown_to(sender, page([(key, _shown(row, at, doubts)) for key, row in found], limit)))
        version = sha256(body).hexdigest()[:32]
        headers = {"ETag": etag(version), "Cache-Control": "private, no-cache"}
        if not_modified(if_none_match, version):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=JSON, headers=headers)


def _shown(row: Mapping[str, Any], at: int, doubts: Doubts) -> dict[str, Any]:
    due, item = row["due"], row["item"]
    return {
        **item,
        "deadlines": marked_waits(item["deadlines"], row["region"], row["agency"], doubts),
        **{name: row[name] for name in ("case", "key", "state", "region", "agency", "court")},
        "due_at": None if due is None else format_instant(due),
        "overdue": due is not None and due < at,
    }


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError:
        raise Invalid("It is no instant: ISO 8601 with an offset, at most microseconds.", field="due_before") from None


def _row_schema(item: Mapping[str, Any]) -> dict[str, Any]:
    every: dict[str, Mapping[str, Any]] = {
        **dict.fromkeys(("case", "key", "state"), TEXT),
        **dict.fromkeys(("region", "agency", "court"), _MAYBE_TEXT),
        "due_at": _MAYBE_INSTANT | {"description": "The earliest due of what somebody still has to do; null: nothing"},
        "overdue": {"type": "boolean"},
    }
    return structure(*item, **every, **item)
