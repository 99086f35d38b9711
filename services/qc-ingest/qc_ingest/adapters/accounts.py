"""From a config to a client: its address, its opened token, and the account's one limiter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from qc_ingest.adapters.limiter import Limiter, Pace
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.adapters.transport import Account, Http, Timing, Transport
from qc_ingest.domain.answers import SealedShut
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.values import Target
from signalbox.runtime.secrets import Box


@dataclass(frozen=True, slots=True)
class Place:
    """One target: where it is, how fast it may be asked, how often its lists are read."""

    base_url: str
    pace: Pace
    poll_s: float
    look_s: float = 2.0  # the shortest pause before a job is looked at again


class Accounts:
    """Opens clients. Configs of one account share one limiter."""

    def __init__(
        self,
        places: Mapping[Target, Place],
        open_http: Callable[[], Http],
        box: Box,
        *,
        timing: Timing | None = None,
    ) -> None:
        self._places = places
        self._open_http = open_http
        self._http: Http | None = None
        self._box = box
        self._timing = timing
        self._limiters: dict[tuple[Target, str], Limiter] = {}

    def open(self, config: QuantConnectConfig, *, patient: bool = True) -> QuantConnect:
        """A client for a config; an impatient one does not repeat what failed.

        Raises:
            SealedShut: the sealed token does not open.
        """
        try:
            token = self._box.open(config.token_sealed, config_id=config.id, field="token")
        except PermanentError as error:
            raise SealedShut(str(error)) from error
        account = Account(self._places[config.target].base_url, config.user_id, token)
        if self._http is None:
            self._http = self._open_http()
        limiter = self._limiter(config)
        return QuantConnect(
            Transport(account, self._http, limiter, timing=self._timing, patient=patient)
        )

    async def close(self) -> None:
        """Close every connection; the next `open` makes new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def limits(self, config: QuantConnectConfig) -> dict[str, JsonValue]:
        """How fast the config's account may be asked now."""
        return self._limiter(config).describe()

    def _limiter(self, config: QuantConnectConfig) -> Limiter:
        key = (config.target, config.user_id)
        if key not in self._limiters:
            self._limiters[key] = Limiter(self._places[config.target].pace)
        return self._limiters[key]

    def poll_s(self, config: QuantConnectConfig) -> float:
        """How often a config's lists are read."""
        return self._places[config.target].poll_s

    def look_s(self, config: QuantConnectConfig) -> float:
        """How soon a job of a config may be looked at again."""
        return self._places[config.target].look_s
