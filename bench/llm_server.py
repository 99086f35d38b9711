"""A model that costs no time: answers every request of OpenAI's Responses at once."""

import asyncio
import json
import sys

MODEL = "bench-model"


class Model(asyncio.Protocol):
    """Answers every request of OpenAI's Responses at once with a buy of AAPL."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = transport
        self._waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._waiting += data
        head, found, rest = self._waiting.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n")
             if line.lower().startswith(b"content-length:")), 0,
        )  # fmt: skip
        if found and len(rest) >= length:
            self._waiting = rest[length:]
            body = _ANSWER if head.startswith(b"POST") else _RECORD
            self._transport.write(  # type: ignore[attr-defined]  # of a TCP connection
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + str(len(body)).encode() + b"\r\n\r\n" + body
            )  # fmt: skip


_RECORD = json.dumps({"id": MODEL, "object": "model", "created": 0, "owned_by": "bench"}).encode()
_DECISION = {
    "symbol": "AAPL", "data_ok": True, "suspicious_input": False, "reasoning": "Up.",
    "evidence": [], "action": "BUY", "confidence": 0.7, "horizon_minutes": 30, "stop_loss": None,
    "take_profit": None, "invalidation": None,
}  # fmt: skip
_TEXT = json.dumps({"schema_version": "1", "decisions": [_DECISION]})
_ANSWER = json.dumps(
    {
        "id": "resp_1", "object": "response", "created_at": 0, "status": "completed",
        "model": MODEL, "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
        "output": [
            {
                "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": _TEXT, "annotations": []}],
            }
        ],
        "usage": {
            "input_tokens": 1500, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 120, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1620,
        },
    }
).encode()  # fmt: skip


async def serve(port: int) -> None:
    """Be the model until killed."""
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
