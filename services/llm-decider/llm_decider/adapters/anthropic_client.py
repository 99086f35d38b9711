"""Anthropic, through its library: one attempt per call."""

from typing import Any

import anthropic

from llm_decider.adapters import http
from llm_decider.domain.outcomes import Answer, Broken


class AnthropicClient:
    """One key at one address, which goes without `/v1`.

    Raises:
        PermanentError: the address is none.
    """

    def __init__(self, base_url: str, key: str) -> None:
        self._sdk = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=http.checked(base_url).rstrip("/").removesuffix("/v1"),
            max_retries=0,
            http_client=http.open_http(),
            default_headers={"Authorization": f"Bearer {key}"},
            open_telemetry=False,
        )

    async def send(self, _wire: str, body: dict[str, Any]) -> Answer | Broken:
        """Ask the model."""
        return await _read(self._sdk.messages.with_streaming_response.create(**body))

    async def model(self, model: str) -> Answer | Broken:
        """The provider's record of a model."""
        return await _read(self._sdk.models.with_streaming_response.retrieve(model))

    async def models(self) -> Answer | Broken:
        """The first page of the models that the key may use."""
        return await _read(self._sdk.models.with_streaming_response.list())

    async def close(self) -> None:
        """Close every connection."""
        await self._sdk.close()


async def _read(call: Any) -> Answer | Broken:
    try:
        async with call as found:
            return await http.read_answer(found.status_code, found.headers, found.iter_bytes())
    except anthropic.APIStatusError as error:
        return http.answer(error.status_code, error.response.headers, error.response.content)
    except (anthropic.AnthropicError, *http.FAILURES, ValueError, TypeError) as error:
        return http.meaning(error)
