"""From a config to the line that it asks through: its address, its opened key, its client."""

import asyncio
import importlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from llm_decider.adapters.lines import Access, Client, Limits, Line
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.values import Target
from signalbox.runtime.secrets import Box

_CLIENTS = {
    "openai": ("openai_client", "OpenAIClient"),
    "claude": ("anthropic_client", "AnthropicClient"),
}
_CLOSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the providers are. OpenAI's includes `/v1`, Anthropic's goes without."""

    openai: str
    claude: str
    sandbox: str  # without a path

    def of(self, config: LlmConfig) -> str:
        """Where a config's model is asked. A key for the sandbox goes nowhere else."""
        if config.target is Target.SANDBOX:
            path = "openai/v1" if config.provider == "openai" else "anthropic"
            return f"{self.sandbox.rstrip('/')}/{path}"
        return config.base_url or (self.openai if config.provider == "openai" else self.claude)


@dataclass(frozen=True, slots=True)
class _Place:
    """What a client is kept by."""

    provider: str
    address: str
    key: str = field(repr=False)


class Providers:
    """Opens lines. Configs with the same provider, address and key share one client.

    A library is loaded with the first call that needs it: they are large.
    """

    def __init__(self, addresses: Addresses, box: Box, limits: Limits | None = None) -> None:
        self._addresses = addresses
        self._box = box
        self._limits = limits or Limits()
        self._accesses: dict[_Place, Access] = {}
        self._places: dict[tuple[str, str, str], _Place] = {}  # by config, sealed key, address

    def open(self, config: LlmConfig) -> Line:
        """The line of a config.

        Raises:
            PermanentError: the sealed key does not open, or cannot be one.
        """
        place = self._place(config)
        if place not in self._accesses:
            self._accesses[place] = Access(lambda: _build(place), place.key, self._limits)
        return Line(self._accesses[place], config.provider, config.wire)

    async def keep(self, configs: Iterable[LlmConfig]) -> None:
        """Close the clients that no config uses any more, as after a change of key."""
        wanted = set()
        for config in configs:
            with suppress(PermanentError):
                wanted.add(self._place(config))
        self._places = {name: place for name, place in self._places.items() if place in wanted}
        await self._close([place for place in self._accesses if place not in wanted])

    async def close(self) -> None:
        """Close every connection; the next call makes new ones."""
        self._places.clear()
        await self._close(list(self._accesses))

    async def _close(self, places: Iterable[_Place]) -> None:
        for access in [self._accesses.pop(place) for place in places]:
            with suppress(OSError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await access.close()

    def _place(self, config: LlmConfig) -> _Place:
        address = self._addresses.of(config)
        name = (config.id, config.key_sealed, address)
        if name not in self._places:
            key = self._box.open(config.key_sealed, config_id=config.id, field="key")
            if not (key.isascii() and key.isprintable() and key) or " " in key:
                raise PermanentError("The stored key cannot be a key. Enter it again.")
            self._places[name] = _Place(config.provider, address, key)
        return self._places[name]


async def _build(place: _Place) -> Client:
    module, name = _CLIENTS[place.provider]
    found = await asyncio.to_thread(importlib.import_module, f"llm_decider.adapters.{module}")
    client: Client = getattr(found, name)(place.address, place.key)
    return client
