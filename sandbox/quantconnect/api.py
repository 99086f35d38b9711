"""QuantConnect's API: one handler for every path and method, an envelope under HTTP 200."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.quantconnect import account, live
from sandbox.quantconnect.endpoints import Context, Endpoint
from sandbox.quantconnect.parameters import Failure, read_parameters
from sandbox.quantconnect.signature import Login, from_query, problem

PREFIX = "/api/v2"
_MOST_BYTES = 4 * 1024 * 1024

ENDPOINTS: Mapping[str, Endpoint] = {**account.ENDPOINTS, **live.ENDPOINTS}


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints over one desk."""

    context: Context
    login: Login
    faults: Faults

    def routes(self) -> list[Route]:
        """Everything below `/api/v2/`, whatever the method."""
        return [Route(f"{PREFIX}/{{path:path}}", self.receive, methods=["GET", "POST"])]

    async def receive(self, request: Request) -> Response:
        """Any request; a fault that is switched on comes first."""
        path = request.path_params["path"].strip("/")
        return await self.faults.through(request, path, self.answer)

    async def answer(self, request: Request) -> Response:
        """The envelope: `success`, and a payload or errors."""
        path = request.path_params["path"].strip("/")
        try:
            self._check_signature(request)
            endpoint = ENDPOINTS.get(path)
            if endpoint is None:
                raise Failure(f"Invalid path: {path[:100]}")
            parameters = read_parameters(
                request.url.query, request.headers.get("content-type", ""), await _body(request)
            )
            payload = endpoint(self.context, parameters)
        except Failure as failure:
            return JSONResponse({"success": False, "errors": failure.errors})
        return JSONResponse({"success": True, **payload, "errors": []})

    def _check_signature(self, request: Request) -> None:
        authorization = request.headers.get("authorization")
        timestamp = request.headers.get("timestamp", "")
        if authorization is None:
            authorization, timestamp = from_query(request.url.query)
        found = problem(self.login, authorization, timestamp, self.context.wall())
        if getattr(request.state, "revoked", False) and found is None:
            found = f"Hash doesn't match. UID: {self.login.user_id} Hash: revoked Timestamp: ''"
        if found is not None:
            raise Failure(found)


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise Failure("The request is too large")
    return bytes(content)
