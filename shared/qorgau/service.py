"""The FastAPI application every service is: problems, limits, health, readiness, metrics, one span a request."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry.trace import SpanKind
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qorgau import errors, telemetry
from qorgau.errors import QorgauError
from qorgau.front.answers import PROBLEM as PROBLEM
from qorgau.front.answers import TEXT, Responses, answer, finished, problems, structure
from qorgau.front.limits import MAX_BODY, BodyLimit
from qorgau.front.parameters import known_parameters
from qorgau.front.problems import problem

VERSION = "0.1.0"
_log = logging.getLogger("qorgau")

_BY_STATUS: Mapping[int, type[QorgauError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
}
# Shown in the documentation of every route.
PROBLEMS = problems(
    *(errors.UnknownParameter, errors.Unauthenticated, errors.Forbidden, errors.TooLarge, errors.Invalid),
    *(errors.TooManyRequests, errors.Unavailable),
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the service does its work now, and each check by name; `ready` is what a load balancer asks."""

    ready: bool
    checks: Mapping[str, str] = field(default_factory=dict)


Ready = Callable[[], Awaitable[Readiness]]


def build_app(
    name: str,
    routers: Sequence[APIRouter],
    *,
    ready: Ready,
    metrics: telemetry.Metrics,
    schemas: Mapping[str, Any] = MappingProxyType({}),
    max_body: int = MAX_BODY,
    api: bool = True,
) -> FastAPI:
    """The application of one service: its routers (made with `v1()`) and what all services answer alike; without `api`
    only whether it lives, whether it is ready, and its metrics."""
    app = FastAPI(
        title=f"Qorgau {name}",
        version=VERSION,
        # The bundled pages load scripts from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if api else None,
        redirect_slashes=False,
        # Its spans record the path and query as sent; ours carry the route.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # What a generated client calls its functions.
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_exception_handler(QorgauError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for router in routers if api else ():
        app.include_router(router)
    app.include_router(_operations(ready, metrics))
    app.add_middleware(BodyLimit, limit=max_body)
    app.add_middleware(_Edge, service=name, metrics=metrics)
    _document(app, schemas)
    return app


def v1() -> APIRouter:
    """A router for one group of routes; the prefix stands in it, so that metrics see the whole route."""
    return APIRouter(prefix="/v1", responses=PROBLEMS, dependencies=[Depends(known_parameters)])


async def _on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, QorgauError)
    return problem(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    """A query, path or header that is not as documented: where and of which kind, never the value."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "missing" and where[0] == "header":
        return problem(errors.Malformed("This header is needed here.", field=where[-1]))
    return problem(errors.Invalid(f"{first['msg']}.", field=".".join(where)))


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = _BY_STATUS.get(error.status_code, errors.Rejected)
    answer = known().problem() | {"status": error.status_code}
    return JSONResponse(answer, error.status_code, error.headers, PROBLEM)


def _operations(ready: Ready, metrics: telemetry.Metrics) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process lives", responses={200: answer("Yes", structure(status=TEXT))})
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    state = structure(status={"enum": ["ready", "not ready"]}, checks={"type": "object", "additionalProperties": TEXT})
    said: Responses = {200: answer("It does", state), 503: answer("It does not; the checks say why", state)}

    @router.get("/readyz", summary="Whether it does its work now", responses=said)
    async def readyz() -> JSONResponse:
        state = await ready()
        body = {"status": "ready" if state.ready else "not ready", "checks": dict(state.checks)}
        return JSONResponse(body, 200 if state.ready else 503)

    media = telemetry.CONTENT_TYPE.partition(";")[0]
    lines: Responses = {200: answer("In its text format", TEXT, media)}

    @router.get("/metrics", summary="Metrics for Prometheus", response_class=Response, responses=lines)
    async def metrics_text() -> Response:
        return Response(metrics.text(), media_type=telemetry.CONTENT_TYPE)

    return router


def _document(app: FastAPI, schemas: Mapping[str, Any]) -> None:
    generated = app.openapi

    def described() -> dict[str, Any]:
        return finished(generated(), schemas)

    app.openapi = described  # type: ignore[method-assign]  # the way FastAPI documents for changing it


class _Edge:
    """Counts, times and traces each request by its route, and adds the headers a dependency left for it."""

    def __init__(self, app: ASGIApp, service: str, metrics: telemetry.Metrics) -> None:
        self._app = app
        self._service = service
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        state = scope.setdefault("state", {})

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(name.lower().encode(), value.encode()) for name, value in state.get("headers", {}).items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        parent = headers.get(b"traceparent", b"").decode("latin-1") or None
        attributes = {"http.request.method": scope["method"], "qorgau.service": self._service}
        with telemetry.span("request", attributes, kind=SpanKind.SERVER, parent=parent) as span:
            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                await _surprised(error, scope, receive, answer if status is None else None)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status or 500})
                self._metrics.requests.labels(method, route, str(status or 500)).inc()
                self._metrics.request_seconds.labels(method, route).observe(time.perf_counter() - begun)


async def _surprised(error: Exception, scope: Scope, receive: Receive, answer: Send | None) -> None:
    """An error nobody expected: its text may hold what was sent, its class and the place are enough to find it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    _log.error("unexpected %s at %s", type(error).__name__, place)
    if answer is None:
        raise ConnectionAbortedError("the answer could not be finished") from None
    await problem(QorgauError("It was not your fault; send the same again later."))(scope, receive, answer)


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
