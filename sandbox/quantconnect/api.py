"""QuantConnect's API: one handler for every path and method, an envelope under HTTP 200."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.quantconnect import (
    account,
    backtests,
    compiling,
    deploying,
    files,
    live,
    nodes,
    object_store,
    projects,
)
from sandbox.quantconnect.endpoints import Context, Endpoint, Link
from sandbox.quantconnect.parameters import (
    Failure,
    Parameters,
    read_multipart,
    read_parameters,
)
from sandbox.quantconnect.signature import Login, from_query, problem

PREFIX = "/api/v2"
_MOST_BYTES = 16 * 1024 * 1024

ENDPOINTS: Mapping[str, Endpoint] = {
    **account.ENDPOINTS,
    **nodes.ENDPOINTS,
    **projects.ENDPOINTS,
    **files.ENDPOINTS,
    **compiling.ENDPOINTS,
    **backtests.ENDPOINTS,
    **live.ENDPOINTS,
    **deploying.ENDPOINTS,
    **object_store.ENDPOINTS,
}


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints over one desk."""

    context: Context
    login: Login
    faults: Faults

    def routes(self) -> list[Route]:
        """Everything below `/api/v2/`, whatever the method; downloads need no signature."""
        return [
            Route(f"{object_store.DOWNLOADS}/{{job}}.zip", self.download),
            Route(f"{PREFIX}/{{path:path}}", self.receive, methods=["GET", "POST"]),
        ]

    async def download(self, request: Request) -> Response:
        """The zip of an object store job, under an address that cannot be guessed."""
        content = self.context.objects.zipped(request.path_params["job"])
        if content is None:
            return Response("Not found", status_code=404)
        return Response(content, media_type="application/zip")

    async def receive(self, request: Request) -> Response:
        """Any request; a fault that is switched on comes first."""
        path = request.path_params["path"].strip("/")
        response = await self.faults.through(request, path, self.answer)
        skew_s = getattr(request.state, "skew_s", 0.0)
        response.headers["date"] = formatdate(self.context.wall() + skew_s, usegmt=True)
        return response

    async def answer(self, request: Request) -> Response:
        """The envelope: `success`, and a payload or errors."""
        path = request.path_params["path"].strip("/")
        try:
            self._check_signature(request)
            endpoint = ENDPOINTS.get(path)
            if endpoint is None:
                raise Failure(f"Invalid path: {path[:100]}")
            payload = endpoint(self.context, await _parameters(request))
        except Failure as failure:
            return JSONResponse({"success": False, "errors": failure.errors})
        here = f"{request.base_url.scheme}://{request.base_url.netloc}"
        whole = {k: here + v.path if isinstance(v, Link) else v for k, v in payload.items()}
        return JSONResponse({"success": True, **whole, "errors": []})

    def _check_signature(self, request: Request) -> None:
        authorization = request.headers.get("authorization")
        timestamp = request.headers.get("timestamp", "")
        if authorization is None:
            authorization, timestamp = from_query(request.url.query)
        skew_s = getattr(request.state, "skew_s", 0.0)
        found = problem(self.login, authorization, timestamp, self.context.wall() + skew_s)
        if getattr(request.state, "revoked", False) and found is None:
            found = f"Hash doesn't match. UID: {self.login.user_id} Hash: revoked Timestamp: ''"
        if found is not None:
            raise Failure(found)


async def _parameters(request: Request) -> Parameters:
    query, kind = request.url.query, request.headers.get("content-type", "")
    body = await _body(request)
    if kind.startswith("multipart/form-data"):
        return await read_multipart(query, request.headers, body)
    return read_parameters(query, kind, body)


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise Failure("The request is too large")
    return bytes(content)
