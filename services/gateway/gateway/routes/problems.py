"""Every error as a problem document (RFC 9457), in words for a person, with an id to ask about."""

import logging
import re
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from gateway.domain.access_errors import NotSignedIn, TooManyTries
from gateway.domain.prompts import PromptRefused
from gateway.routes.headers import SECURITY_HEADERS
from signalbox.contracts.errors import RateLimited, SignalboxError, TransientError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Malformed",
    429: "Too many tries",
    500: "Internal error",
    503: "Not available now",
}
ADVICE = {
    400: "Send a body that is valid JSON; /api/docs shows what each path takes.",
    401: "Get a fresh token from POST /api/auth/token, or sign in to the page again.",
    403: "Ask somebody who may do this, or do what the detail asks for.",
    404: "Look the id up in the list it comes from; /api/docs names every path.",
    405: "Use a method that /api/docs names for this path.",
    409: "Read the thing again: it is not as this request takes it to be.",
    413: "Send less at a time.",
    415: "Send JSON as application/json.",
    422: "Correct what the detail names and send it again; /api/docs shows what fits.",
    429: "Wait as long as Retry-After says, then go on more slowly.",
    500: "Tell whoever runs this gateway the correlation id; its log says more.",
    503: "Try again after Retry-After; if it lasts, /readyz and the services' logs say why.",
}
_WORDS = {"missing": "is missing", "extra_forbidden": "is not known here"}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str
    line: int | None = None  # of a text, from 1
    column: int | None = None


class Problem(BaseModel):
    """Why a request was not done."""

    type: str
    title: str
    status: int
    detail: str
    advice: str | None = None  # what to do next
    correlation_id: str
    errors: list[FieldProblem] | None = None


def correlation_id(request: Request) -> str:
    """The id of this request, also in its answer's `X-Request-Id`."""
    found: str = request.scope.get("state", {}).get("correlation_id", "")
    return found


def answer(
    request: Request,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    advice: str | None = None,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem document."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower() if kind else title.lower()
    problem = Problem(
        type=f"urn:signalbox:problem:{name.replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        advice=advice or ADVICE.get(status),
        correlation_id=correlation_id(request),
        errors=errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


async def on_signalbox_error(request: Request, error: Exception) -> JSONResponse:
    """The error's own status and message."""
    status = error.status if isinstance(error, SignalboxError) else 500
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited | TooManyTries):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    elif isinstance(error, TransientError):
        headers["Retry-After"] = "2"
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s", error, extra={"correlation_id": correlation_id(request)})
    return answer(
        request,
        status,
        str(error),
        kind=type(error).__name__,
        advice=getattr(error, "advice", None),
        errors=_places(error) if isinstance(error, PromptRefused) else None,
        headers=headers,
    )


def _places(error: PromptRefused) -> list[FieldProblem]:
    return [
        FieldProblem(field=one.part, message=one.message, line=one.line, column=one.column)
        for one in error.problems
    ]


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """What the web framework refuses: unknown paths, wrong methods, bodies that are no JSON."""
    if not isinstance(error, HTTPException):
        return answer(request, 500, "The gateway failed; its log says why.")
    words = {
        400: "the body cannot be read as JSON",
        404: f"there is nothing at {request.url.path}",
        405: f"{request.url.path} does not take {request.method}",
    }
    detail = words.get(error.status_code, str(error.detail))
    return answer(request, error.status_code, detail, headers=dict(error.headers or {}))


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Which fields do not fit, and why; never what was sent."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    problems = [_field_problem(one) for one in found[:20]]
    detail = "; ".join(f"{p.field}: {p.message}" for p in problems[:3])
    if len(found) > 3:
        detail += f"; and {len(found) - 3} more"
    return answer(request, 422, detail or "the request does not fit", errors=problems)


def _field_problem(error: dict[str, object]) -> FieldProblem:
    where = error.get("loc")
    parts = [str(part) for part in where] if isinstance(where, tuple) else []
    shown = parts[1:] if parts[:1] in (["body"], ["query"], ["path"], ["header"]) else parts
    kind = str(error.get("type"))
    message = _WORDS.get(kind, str(error.get("msg", "does not fit"))).removeprefix("Value error, ")
    if kind == "json_invalid":
        return FieldProblem(field="body", message="is not valid JSON")
    return FieldProblem(field=".".join(shown) or "body", message=message[:1].lower() + message[1:])


async def on_failure(request: Request, _error: Exception) -> JSONResponse:
    """Something nobody foresaw. The server logs it; the caller learns the id to ask about."""
    detail = "The gateway failed at this request; its log says why."
    response = answer(request, 500, detail, headers=dict(SECURITY_HEADERS))
    response.headers["Cache-Control"] = "no-store"
    return response


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(SignalboxError, on_signalbox_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_failure)
