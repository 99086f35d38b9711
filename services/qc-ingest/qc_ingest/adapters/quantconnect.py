"""One account at QuantConnect: what can be asked of it, by area."""

from qc_ingest.adapters.quantconnect_backtests import Backtests
from qc_ingest.adapters.quantconnect_live import Live
from qc_ingest.adapters.quantconnect_projects import Projects
from qc_ingest.adapters.quantconnect_resources import Resources
from qc_ingest.adapters.transport import Transport


class QuantConnect:
    """One account. Errors are Signalbox's own; neither token nor signature appears in them.

    What only reads is repeated when that may help. What creates or changes is sent once at most,
    and says `OutcomeUnknown` when its answer was lost.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.projects = Projects(transport)
        self.backtests = Backtests(transport)
        self.live = Live(transport)
        self.resources = Resources(transport)

    @property
    def skew_s(self) -> float | None:
        """QuantConnect's clock less ours, in seconds; None before the first answer."""
        return self.transport.skew_s

    async def authenticate(self) -> None:
        """Nothing, or WrongCredentials."""
        await self.transport.read("authenticate")
