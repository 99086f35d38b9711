"""How a config's provider was found last."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llm_decider.domain.shapes import Failure, ModelCheck

_OFTEN = timedelta(seconds=5)  # as exactly as the last answer's time is kept


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured model, as the last call or check found it. Times are wall times."""

    config_id: str
    connected: bool = False  # false also before the first answer
    trouble: str = ""  # why it is left alone; empty when it is not
    since: datetime | None = None  # of the trouble
    last_ok_at: datetime | None = None
    last_error: str = ""
    warnings: tuple[str, ...] = ()

    def differs(self, other: "Connection") -> bool:
        """Whether this is worth keeping beside what was kept before."""
        if self.last_ok_at and other.last_ok_at and self.last_ok_at - other.last_ok_at < _OFTEN:
            return replace(self, last_ok_at=other.last_ok_at) != other
        return self != other

    def worked(self, wall: datetime) -> "Connection":
        """After an answer."""
        return replace(self, connected=True, trouble="", since=None, last_ok_at=wall, last_error="")

    def failed(self, failure: Failure, since: datetime | None) -> "Connection":
        """After a failure; `since` is when its circuit opened, none while it is closed."""
        if since is None:
            return replace(self, last_error=failure.message)
        begun = self.since if self.trouble else since
        return replace(
            self,
            connected=False,
            trouble=failure.kind,
            since=begun,
            last_error=failure.message,
        )

    def checked(self, check: ModelCheck, wall: datetime) -> "Connection":
        """After a check that spends nothing. It says whether a key and a model are accepted, not
        whether a call would succeed, so a trouble stays until one does.
        """
        found = replace(self, connected=check.connected, warnings=check.warnings)
        if not check.connected:
            return replace(found, last_error=check.message)
        if self.trouble:
            return replace(found, connected=False)
        return replace(found, last_ok_at=wall, last_error="")
