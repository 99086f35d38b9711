"""What wraps every request: security headers, a correlation id, a limit on bodies, metrics."""

import logging
import secrets
import time
from collections.abc import Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signalbox.runtime import metrics

log = logging.getLogger(__name__)

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        # Charts and the editor set styles at run time; scripts come from files alone.
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; font-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TLS_ONLY = "max-age=31536000; includeSubDomains"
_BODY_LIMIT = 256 * 1024
_HOOK_LIMIT = 64 * 1024


class SecurityHeaders:
    """Adds the headers to every answer, errors included; what is under /api is never stored."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        correlation_id = secrets.token_hex(8)
        scope.setdefault("state", {})["correlation_id"] = correlation_id

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["X-Request-Id"] = correlation_id
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _TLS_ONLY
                if scope["path"].startswith("/api/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)


class BodyLimit:
    """Refuses a body that is too large while it comes in, whatever its length header says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = _HOOK_LIMIT if scope["path"].startswith("/hooks/") else _BODY_LIMIT
        declared = Headers(scope=scope).get("content-length", "0")
        seen = int(declared) if declared.isascii() and declared.isdigit() else 0
        too_large = seen > limit
        received = 0

        async def counted() -> Message:
            nonlocal received
            if too_large:
                raise _too_large(limit)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, counted, send)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit // 1024} KiB")


class Measured:
    """Counts and times what is answered, by route; streams are not timed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                metrics.HTTP_SECONDS.labels(_route(scope), scope["method"]).observe(
                    time.perf_counter() - started
                )
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            label = f"{status // 100}xx"
            metrics.HTTP_REQUESTS.labels(_route(scope), _method(scope), label).inc()


def _route(scope: Scope) -> str:
    """The route's template; whatever matches none shares one label."""
    return str(getattr(scope.get("route"), "path", "none"))


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return str(scope["method"]) if scope["method"] in known else "other"
