"""`/livez`, `/readyz` and `/metrics`, the same on every service."""

from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from signalbox.runtime.service import Service


def health_routes(service: "Service[Any]") -> list[Route]:
    """Alive: the loop turns. Ready: everything that it needs answers."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_request: Request) -> Response:
        checks = await service.checks()
        ready = all(problem is None for problem in checks.values())
        body = {"ready": ready, "checks": {n: p or "ok" for n, p in checks.items()}}
        return JSONResponse(body, status_code=200 if ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
