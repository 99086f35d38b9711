"""Anthropic's endpoints: models, Messages, and the count of a request's tokens."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Kind
from sandbox.llm import house
from sandbox.llm.counting import tokens
from sandbox.llm.house import House, Refused

PREFIX = "/anthropic/v1"
_GONE = ("temperature", "top_p", "top_k")  # not parameters any more
_STOPS = {"complete": "end_turn", "length": "max_tokens", "refused": "refusal"}
_YES, _NO = {"supported": True}, {"supported": False}
Json = dict[str, Any]


def refusal(status: int, kind: str, text: str, *, code: str = "") -> Refused:
    """Anthropic's form of an error."""
    error: Json = {"type": kind, "message": text}
    if code:
        error["details"] = {"error_code": code}
    request_id = house.new_id("req")
    body = {"type": "error", "error": error, "request_id": request_id}
    return Refused(status, body, **{"request-id": request_id})


def errors(kind: Kind) -> Refused | None:
    """The faults that Anthropic itself has words for."""
    match kind:
        case Kind.LIMITED:
            return refusal(429, "rate_limit_error", "This request would exceed your rate limit.")
        case Kind.QUOTA:
            return refusal(
                429,
                "rate_limit_error",
                "Your organization has reached its spend limit.",
                code="enforced_spend_limit_reached",
            )
        case Kind.OVERLOADED:
            return refusal(529, "overloaded_error", "Overloaded")
        case Kind.REVOKED:
            return refusal(401, "authentication_error", "invalid x-api-key")
        case _:
            return None


class AnthropicApi:
    """The endpoints below `/anthropic/v1`."""

    def __init__(self, place: House) -> None:
        self._house = place

    def routes(self) -> list[Route]:
        """Everything that is played."""
        post, get = ["POST"], ["GET"]
        return [
            Route(f"{PREFIX}/models", self._at("v1/models", self._models), methods=get),
            Route(
                f"{PREFIX}/models/{{model:path}}", self._at("v1/models", self._model), methods=get
            ),
            Route(
                f"{PREFIX}/messages/count_tokens",
                self._at("v1/messages/count_tokens", self._count),
                methods=post,
            ),
            Route(f"{PREFIX}/messages", self._at("v1/messages", self._message), methods=post),
        ]

    def _at(self, path: str, endpoint: Callable[[Request, Json, Fault | None], Json]) -> Any:
        async def receive(request: Request) -> Response:
            body = await house.body_of(request)
            fault = self._house.fault(path)

            def answer() -> Response:
                self._check_key(request)
                found = endpoint(request, body, fault)
                return JSONResponse(found, headers={"request-id": house.new_id("req")})

            return await house.through(fault, errors, answer)

        return receive

    def _check_key(self, request: Request) -> None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        given = bearer or request.headers.get("x-api-key", "")
        if given != self._house.key:
            raise refusal(401, "authentication_error", "invalid x-api-key")

    def _models(self, _request: Request, _body: Json, _fault: Fault | None) -> Json:
        names = self._house.models
        return {
            "data": [_record(name) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }

    def _model(self, request: Request, _body: Json, _fault: Fault | None) -> Json:
        return _record(self._known(request.path_params["model"]))

    def _known(self, model: Any) -> str:
        if not isinstance(model, str):
            raise refusal(400, "invalid_request_error", "model: Field required")
        if model not in self._house.models:
            raise refusal(404, "not_found_error", f"model: {model[:100]}")
        return model

    def _count(self, _request: Request, body: Json, _fault: Fault | None) -> Json:
        self._known(body.get("model"))
        marked, rules, data = _texts(body)
        return {"input_tokens": tokens(marked) + tokens(rules) + tokens(data)}

    def _message(self, _request: Request, body: Json, fault: Fault | None) -> Json:
        model = self._known(body.get("model"))
        most = body.get("max_tokens")
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise refusal(400, "invalid_request_error", "max_tokens: Field required")
        for name in _GONE:
            if name in body:
                text = f"{name}: Extra inputs are not permitted"
                raise refusal(400, "invalid_request_error", text)
        marked, rules, data = _texts(body)
        config = body.get("output_config") if isinstance(body.get("output_config"), dict) else {}
        form = config.get("format") if config else None
        schema = form.get("schema") if isinstance(form, dict) else None
        written = house.write(f"{marked}{rules}\n{data}", schema, most, fault)
        counted = self._house.cache.marked(model, marked, f"{rules}{data}")
        refused = written.ended == "refused"
        return {
            "id": house.new_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [] if refused else [{"type": "text", "text": written.text}],
            "stop_reason": _STOPS[written.ended],
            "stop_sequence": None,
            "stop_details": {"type": "refusal", "category": None, "explanation": written.text}
            if refused
            else None,
            "usage": {
                "input_tokens": counted.total - counted.read - counted.written,
                "cache_read_input_tokens": counted.read,
                "cache_creation_input_tokens": counted.written,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": counted.written,
                    "ephemeral_1h_input_tokens": 0,
                },
                "output_tokens": written.output,
                "output_tokens_details": {"thinking_tokens": 0},
                "service_tier": "standard",
            },
        }


def _record(name: str) -> Json:
    return {
        "id": name,
        "type": "model",
        "display_name": f"{name} (sandbox)",
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
        "capabilities": {
            "structured_outputs": _YES,
            "effort": {"supported": True, "low": _YES, "medium": _YES, "high": _YES, "max": _NO},
        },
    }


def _texts(body: Json) -> tuple[str, str, str]:
    """The marked rules, the other rules, and the data of a request."""
    system = body.get("system")
    blocks = [{"text": system}] if isinstance(system, str) else system
    marked: list[str] = []
    rules: list[str] = []
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict):
            (marked if block.get("cache_control") else rules).append(str(block.get("text", "")))
    messages = body.get("messages")
    rows = [row for row in messages if isinstance(row, dict)] if isinstance(messages, list) else []
    data = "".join(_plain(row.get("content")) for row in rows)
    if not data:
        raise refusal(400, "invalid_request_error", "messages: at least one message is required")
    return "".join(marked), "".join(rules), data


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
