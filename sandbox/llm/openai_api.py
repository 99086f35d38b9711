"""OpenAI's endpoints: models, Responses, Chat Completions, and the count of a request's tokens."""

import re
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Kind
from sandbox.llm import house
from sandbox.llm.counting import Counted, tokens
from sandbox.llm.house import House, Refused, Written

PREFIX = "/openai/v1"
_CREATED = 1_790_000_000
_REASONING = re.compile(r"^(o\d|gpt-[5-9])")
_KEEPS_MARKED = re.compile(r"^gpt-(5\.[6-9]|[6-9])")  # these charge for what they keep
_PLENTY = 16_000
Json = dict[str, Any]


def refusal(status: int, text: str, *, kind: str = "invalid_request_error", **more: str) -> Refused:
    """OpenAI's form of an error."""
    error: Json = {"message": text, "type": kind, "param": None, "code": None}
    return Refused(status, {"error": error | more}, **{"x-request-id": house.new_id("req")})


def errors(kind: Kind) -> Refused | None:
    """The faults that OpenAI itself has words for."""
    match kind:
        case Kind.LIMITED:
            return refusal(429, "Rate limit reached.", kind="requests", code="rate_limit_exceeded")
        case Kind.QUOTA:
            return refusal(
                429,
                "You exceeded your current quota, please check your plan and billing details.",
                kind="insufficient_quota",
                code="insufficient_quota",
            )
        case Kind.OVERLOADED:
            return refusal(503, "The engine is currently overloaded.", kind="server_error")
        case Kind.REVOKED:
            return _wrong_key("revoked")
        case _:
            return None


def _wrong_key(key: str) -> Refused:
    masked = key[:3] + "*" * max(len(key) - 7, 1) + key[-4:] if len(key) > 7 else "***"
    return refusal(401, f"Incorrect API key provided: {masked}.", code="invalid_api_key")


class OpenAIApi:
    """The endpoints below `/openai/v1`."""

    def __init__(self, place: House) -> None:
        self._house = place

    def routes(self) -> list[Route]:
        """Everything that is played."""
        post, get = ["POST"], ["GET"]
        return [
            Route(f"{PREFIX}/models", self._at("models", self._models), methods=get),
            Route(f"{PREFIX}/models/{{model:path}}", self._at("models", self._model), methods=get),
            Route(
                f"{PREFIX}/responses/input_tokens",
                self._at("responses/input_tokens", self._count),
                methods=post,
            ),
            Route(f"{PREFIX}/responses", self._at("responses", self._respond), methods=post),
            Route(
                f"{PREFIX}/chat/completions",
                self._at("chat/completions", self._complete),
                methods=post,
            ),
        ]

    def _at(self, path: str, endpoint: Callable[[Request, Json, Fault | None], Json]) -> Any:
        async def receive(request: Request) -> Response:
            body = await house.body_of(request)
            fault = self._house.fault(path)

            def answer() -> Response:
                self._check_key(request)
                found = endpoint(request, body, fault)
                return JSONResponse(found, headers={"x-request-id": house.new_id("req")})

            return await house.through(fault, errors, answer)

        return receive

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not given:
            raise refusal(401, "You didn't provide an API key.")
        if given != self._house.key:
            raise _wrong_key(given)

    def _models(self, _request: Request, _body: Json, _fault: Fault | None) -> Json:
        return {"object": "list", "data": [_record(name) for name in self._house.models]}

    def _model(self, request: Request, _body: Json, _fault: Fault | None) -> Json:
        return _record(self._known(request.path_params["model"]))

    def _known(self, model: Any) -> str:
        if not isinstance(model, str) or not model:
            raise refusal(400, "you must provide a model parameter")
        if model not in self._house.models:
            text = f"The model `{model[:100]}` does not exist or you do not have access to it."
            raise refusal(404, text, code="model_not_found")
        return model

    def _count(self, _request: Request, body: Json, _fault: Fault | None) -> Json:
        self._known(body.get("model"))
        rules, data = _texts(body)
        return {"object": "response.input_tokens", "input_tokens": tokens(rules) + tokens(data)}

    def _respond(self, _request: Request, body: Json, fault: Fault | None) -> Json:
        model = self._known(body.get("model"))
        effort = (
            body["reasoning"].get("effort") if isinstance(body.get("reasoning"), dict) else None
        )
        _check_settings(model, body, effort)
        rules, data = _texts(body)
        form = _dig(body, "text", "format", "schema")
        most = _limit(body.get("max_output_tokens"), "max_output_tokens")
        written = house.write(f"{rules}\n{data}", form, most, fault)
        counted = self._counted(model, rules, data, explicit="prompt_cache_options" in body)
        return _response(model, body, written, counted)

    def _complete(self, _request: Request, body: Json, fault: Fault | None) -> Json:
        model = self._known(body.get("model"))
        if _REASONING.match(model) and "max_tokens" in body:
            raise _unsupported("max_tokens")
        _check_settings(model, body, body.get("reasoning_effort"))
        rules, data = _texts({"input": body.get("messages")})
        form = _dig(body, "response_format", "json_schema", "schema")
        most = _limit(
            body.get("max_completion_tokens", body.get("max_tokens")), "max_completion_tokens"
        )
        written = house.write(f"{rules}\n{data}", form, most, fault)
        return _completion(model, written, self._counted(model, rules, data, explicit=False))

    def _counted(self, model: str, rules: str, data: str, *, explicit: bool) -> Counted:
        if explicit:
            return self._house.cache.marked(model, rules, data)
        return self._house.cache.whole(model, f"{rules}\n{data}")


def _record(name: str) -> Json:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "sandbox"}


def _unsupported(name: str) -> Refused:
    text = f"Unsupported parameter: '{name}' is not supported with this model."
    return refusal(400, text, param=name, code="unsupported_parameter")


def _check_settings(model: str, body: Json, effort: Any) -> None:
    if "temperature" in body and _REASONING.match(model) and effort != "none":
        raise _unsupported("temperature")
    if effort is not None and not _REASONING.match(model):
        raise _unsupported("reasoning.effort" if "reasoning" in body else "reasoning_effort")
    if "prompt_cache_options" in body and not _KEEPS_MARKED.match(model):
        raise _unsupported("prompt_cache_options")


def _limit(value: Any, name: str) -> int:
    if value is None:
        return _PLENTY
    if isinstance(value, bool) or not isinstance(value, int) or value < 16:
        raise refusal(400, f"Invalid '{name}': expected an integer >= 16.", param=name)
    return value


def _texts(body: Json) -> tuple[str, str]:
    """The rules and the data of a request."""
    rules: list[str] = [str(body.get("instructions") or "")]
    data: list[str] = []
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    for item in items if isinstance(items, list) else []:
        text = _plain(item.get("content")) if isinstance(item, dict) else ""
        leads = isinstance(item, dict) and item.get("role") in {"system", "developer"}
        (rules if leads else data).append(text)
    if not "".join(data):
        raise refusal(400, "Missing required parameter: 'input'.", param="input")
    return "".join(rules), "".join(data)


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _response(model: str, body: Json, written: Written, counted: Counted) -> Json:
    part: Json = {"type": "output_text", "text": written.text, "annotations": []}
    if written.ended == "refused":
        part = {"type": "refusal", "refusal": written.text}
    cut = written.ended == "length"
    status = "incomplete" if cut else "completed"
    return {
        "id": house.new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": body.get("instructions"),
        "metadata": {"answered_by": "sandbox"},
        "model": model,
        "output": [
            {
                "type": "message",
                "id": house.new_id("msg"),
                "status": status,
                "role": "assistant",
                "content": [part],
            }
        ],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "store": False,
        "temperature": body.get("temperature"),
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": {
            "input_tokens": counted.total,
            "input_tokens_details": {
                "cached_tokens": counted.read,
                "cache_write_tokens": counted.written,
            },
            "output_tokens": written.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": counted.total + written.output,
        },
    }


def _completion(model: str, written: Written, counted: Counted) -> Json:
    refused = written.ended == "refused"
    message = {
        "role": "assistant",
        "content": None if refused else written.text,
        "refusal": written.text if refused else None,
    }
    reason = "length" if written.ended == "length" else "stop"
    return {
        "id": house.new_id("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": "sandbox",
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": counted.total,
            "prompt_tokens_details": {
                "cached_tokens": counted.read,
                "cache_write_tokens": counted.written,
            },
            "completion_tokens": written.output,
            "completion_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": counted.total + written.output,
        },
    }
