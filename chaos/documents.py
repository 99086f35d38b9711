"""Every version of the router's configuration, as it was put out."""

from nats.aio.msg import Msg

from chaos.streams import stored
from chaos.voices import Voices
from signalbox.contracts.config import BotConfig, RouterConfig, Versioned

_KEY = "$KV.CONFIG.decision-router"


class Documents:
    """Hears each version; those from before are read from the bucket's history."""

    def __init__(self) -> None:
        self.by_version: dict[int, RouterConfig] = {}

    async def follow(self, voices: Voices) -> None:
        """Listen from now on, then read what was there."""
        bus = await voices.bus("decision-router")
        await bus.nc.subscribe(_KEY, cb=self._on_message)
        await bus.nc.flush()
        await self.catch_up(voices)

    async def catch_up(self, voices: Voices) -> None:
        """Read what the bucket holds: one may have passed by while the connection was away."""
        for one in await stored(await voices.bus("provision"), "KV_CONFIG", subjects=_KEY):
            self._take(one.body)

    async def _on_message(self, message: Msg) -> None:
        self._take(message.data)

    def _take(self, raw: bytes) -> None:
        found = Versioned[RouterConfig].model_validate_json(raw)
        self.by_version[found.version] = found.document

    @property
    def newest(self) -> int:
        """The highest version that was put out."""
        return max(self.by_version, default=0)

    def bots(self, version: int) -> tuple[BotConfig, ...] | None:
        """Who was configured under a version; None when there was no such version."""
        found = self.by_version.get(version)
        return None if found is None else found.bots
