"""A bare Starlette route that inserts what it is sent, as durably as the vault does: what intake is compared with.

`python -m benchmarks.bare_route PORT MONGO BYTES`; each body is filled up to so many bytes.
"""

import asyncio
import sys
from typing import Any

import uvicorn
from bson.binary import Binary
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qorgau.embedded.ports import LOOPBACK
from qorgau.heart.collecting import collect_seldom
from qorgau.shell.mongo import collection
from qorgau.store import connect


def application(kept: Any, size: int) -> Starlette:
    """The route, and one that says that it is ready."""

    async def insert(request: Request) -> Response:
        body = await request.body()
        name = request.headers["idempotency-key"]
        await kept.insert_one({"_id": name, "body": Binary(body.ljust(size, b"\0"))})
        return JSONResponse({"case": name}, 201)

    async def ready(_: Request) -> Response:
        return JSONResponse({})

    return Starlette(routes=[Route("/v1/reports", insert, methods=["POST"]), Route("/readyz", ready)])


async def main(port: int, mongo: str, size: int) -> None:
    """Serve until the process is told to end, with the settings of a service."""
    collect_seldom()
    app = application(collection(connect(mongo)["bare_route"], "reports"), size)
    config = uvicorn.Config(app, host=LOOPBACK, port=port, ws="none", log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
