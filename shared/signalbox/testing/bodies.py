"""Bodies as the model providers send them."""

from typing import Any

Json = dict[str, Any]
TEXT = '{"decisions": []}'


def response(text: str = TEXT, **over: Any) -> Json:
    """An answer of OpenAI's Responses."""
    content = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-4o-mini-2024-07-18",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [content],
            },
        ],
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 0},
            "output_tokens": 500,
            "output_tokens_details": {"reasoning_tokens": 64},
            "total_tokens": 1500,
        },
    } | over


def completion(text: str | None = TEXT, **over: Any) -> Json:
    """An answer of Chat Completions. `message` and `finish_reason` go into its one choice."""
    message = {"role": "assistant", "content": text, "refusal": None} | over.pop("message", {})
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": over.pop("finish_reason", "stop"),
        "logprobs": None,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": {
            "prompt_tokens": 1000,
            "prompt_tokens_details": {"cached_tokens": 400},
            "completion_tokens": 500,
            "completion_tokens_details": {"reasoning_tokens": 64},
            "total_tokens": 1500,
        },
    } | over


def message(text: str = TEXT, **over: Any) -> Json:
    """An answer of Anthropic's Messages."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 1000,
            "cache_read_input_tokens": 4000,
            "cache_creation_input_tokens": 3000,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 1000,
                "ephemeral_1h_input_tokens": 2000,
            },
            "output_tokens": 500,
            "output_tokens_details": {"thinking_tokens": 64},
            "service_tier": "standard",
        },
    } | over


def openai_error(text: str, **fields: Any) -> Json:
    """OpenAI's error body."""
    error = {"message": text, "type": "invalid_request_error", "param": None, "code": None}
    return {"error": error | fields}


def claude_error(kind: str, text: str, code: str | None = None) -> Json:
    """Anthropic's error body."""
    error: Json = {"type": kind, "message": text}
    if code is not None:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": "req_1"}
