"""From the body of an answer to its ending, text and usage. The stop signal is judged first."""

from collections.abc import Callable, Iterable, Sequence

from pydantic import JsonValue

from llm_decider.domain import outcomes, usage
from llm_decider.domain.outcomes import Broken
from llm_decider.domain.shapes import Ending, Failure, Reply, Usage

_MOST_CHARS = 256 * 1024
Body = dict[str, JsonValue]
Read = Callable[[JsonValue, str], Reply | Failure]

_TRUNCATED = "The answer reached the limit of tokens before it was complete. Raise the limit."
_FILTERED = "The provider's content filter stopped the answer."
_REFUSED = "The model refused to answer"


def read_responses(body: JsonValue, request_id: str) -> Reply | Failure:
    """An answer of OpenAI's Responses."""
    if not isinstance(body, dict) or not isinstance(body.get("status"), str):
        return _malformed("openai", body, request_id)
    counted = usage.of_responses(body.get("usage"))
    if body["status"] == "failed" and counted is None:
        return outcomes.judge_failed("openai", outcomes.read_problem(body), request_id)
    if body["status"] != "failed" and not isinstance(body.get("output"), list):
        return _malformed("openai", body, request_id)
    messages = [item for item in _dicts(body.get("output")) if item.get("type") == "message"]
    parts = [part for message in messages for part in _dicts(message.get("content"))]
    refusals = _texts(parts, "refusal", "refusal")
    ending, detail = _ending_of_response(body, refusals, len(messages))
    text = "".join(_texts(parts, "output_text", "text"))
    return _reply(body, request_id, counted, (ending, text, detail))


def _ending_of_response(body: Body, refusals: Sequence[str], messages: int) -> tuple[Ending, str]:
    status, details = body["status"], body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if status == "incomplete" and reason == "max_output_tokens":
        return Ending.TRUNCATED, _TRUNCATED
    if status == "incomplete" and reason == "content_filter":
        return Ending.REFUSED, _FILTERED
    if status == "failed":
        problem = outcomes.read_problem(body)
        return Ending.UNREADABLE, _with("The provider gave up on the answer", _said(problem))
    if status != "completed":
        return Ending.UNREADABLE, f"The answer ended in an unexpected way: {_shown(status, reason)}"
    if refusals:
        return Ending.REFUSED, _with(_REFUSED, " ".join(refusals))
    return _one_text(messages, "message")


def read_chat(body: JsonValue, request_id: str) -> Reply | Failure:
    """An answer of Chat Completions, from OpenAI or a compatible server."""
    if not isinstance(body, dict) or "choices" not in body:
        return _malformed("openai", body, request_id)
    choices = _dicts(body.get("choices"))
    counted = usage.of_chat(body.get("usage"))
    if len(choices) != 1:
        found = (*_one_text(len(choices), "choice"),)
        return _reply(body, request_id, counted, (found[0], "", found[1]))
    message = choices[0].get("message")
    message = message if isinstance(message, dict) else {}
    text = message.get("content")
    ending, detail = _ending_of_choice(choices[0], message)
    return _reply(
        body, request_id, counted, (ending, text if isinstance(text, str) else "", detail)
    )


def _ending_of_choice(choice: Body, message: Body) -> tuple[Ending, str]:
    reason, refusal = choice.get("finish_reason"), message.get("refusal")
    if reason == "length":
        return Ending.TRUNCATED, _TRUNCATED
    if reason == "content_filter":
        return Ending.REFUSED, _FILTERED
    if isinstance(refusal, str) and refusal:
        return Ending.REFUSED, _with(_REFUSED, refusal)
    if reason != "stop":
        return Ending.UNREADABLE, f"The answer ended in an unexpected way: {_shown(reason)}"
    return _one_text(1 if isinstance(message.get("content"), str) else 0, "text")


def read_messages(body: JsonValue, request_id: str) -> Reply | Failure:
    """An answer of Anthropic's Messages."""
    if not isinstance(body, dict) or not isinstance(body.get("content"), list):
        return _malformed("claude", body, request_id)
    texts = _texts(_dicts(body["content"]), "text", "text")
    ending, detail = _ending_of_message(body, len(texts))
    counted = usage.of_messages(body.get("usage"))
    return _reply(body, request_id, counted, (ending, "".join(texts), detail))


def _ending_of_message(body: Body, texts: int) -> tuple[Ending, str]:
    match body.get("stop_reason"):
        case "max_tokens" | "model_context_window_exceeded":
            return Ending.TRUNCATED, _TRUNCATED
        case "refusal":
            details = body.get("stop_details")
            why = details.get("explanation") if isinstance(details, dict) else None
            return Ending.REFUSED, _with(_REFUSED, why if isinstance(why, str) else "")
        case "end_turn":
            return _one_text(min(texts, 1), "text")
        case other:
            return Ending.UNREADABLE, f"The answer ended in an unexpected way: {_shown(other)}"


def _one_text(count: int, what: str) -> tuple[Ending, str]:
    if count == 1:
        return Ending.COMPLETE, ""
    found = f"no {what}" if count == 0 else f"{count} {what}s where one was asked for"
    return Ending.UNREADABLE, f"The answer holds {found}."


def _reply(
    body: Body, request_id: str, counted: Usage | None, found: tuple[Ending, str, str]
) -> Reply:
    ending, text, detail = found
    if ending is Ending.COMPLETE and not text.strip():
        ending, detail = Ending.UNREADABLE, "The answer is empty."
    if len(text) > _MOST_CHARS:
        ending, detail = Ending.UNREADABLE, f"The answer is {len(text)} characters long."
    model = body.get("model")
    return Reply(
        ending=ending,
        text=text[:_MOST_CHARS],
        served_model=model[:200] if isinstance(model, str) else "",
        usage=counted,
        request_id=request_id,
        detail=detail,
    )


def _malformed(provider: str, body: JsonValue, request_id: str) -> Failure:
    said = _said(outcomes.read_problem(body))
    return outcomes.broken(provider, Broken.MALFORMED, said=said, status=200, request_id=request_id)


def _said(problem: outcomes.Problem | None) -> str:
    return (problem.message or problem.code) if problem else ""


def _with(text: str, why: str) -> str:
    shown = outcomes.clean(why)
    return f"{text}: {shown}" if shown else f"{text}."


def _shown(*values: JsonValue) -> str:
    return (
        ", ".join(outcomes.clean(str(value))[:60] for value in values if value is not None) or "-"
    )


def _dicts(items: JsonValue) -> list[Body]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _texts(parts: Iterable[Body], kind: str, name: str) -> list[str]:
    """The texts of the parts of one type; unknown types are passed over."""
    found = (part.get(name) for part in parts if part.get("type") == kind)
    return [text for text in found if isinstance(text, str)]
