"""How a connection stands, and how that is said to a person."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

SKEW_HINT_S = 300.0
_BACKOFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)
_REFUSED_PAUSE_S = 300.0  # a wrong token does not become right by asking


class Trouble(StrEnum):
    """Why QuantConnect cannot be read."""

    CREDENTIALS = "credentials"
    LIMITED = "limited"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Insights and fills of the last day that say nothing here."""

    count: int
    project_id: int  # of the newest
    reason: str  # of the newest

    def words(self) -> str:
        """The same for a person."""
        many = "1 insight or fill" if self.count == 1 else f"{self.count} insights and fills"
        newest = f"project {self.project_id}: {self.reason}"
        return f"{many} of the last 24 hours not taken, the newest of {newest}."


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured account, as the last polling cycle found it. Times are wall times."""

    config_id: str
    trouble: Trouble | None = None
    connected: bool = False  # false also before the first answer
    failures: int = 0
    since: datetime | None = None  # of the present trouble
    last_ok_at: datetime | None = None
    last_error: str = ""
    clock_skew_s: float | None = None

    def worked(self, wall: datetime, note: str = "") -> "Connection":
        """After a cycle that went through; `note` is what one of its parts complained about."""
        return replace(
            self,
            trouble=None,
            connected=True,
            failures=0,
            since=None,
            last_ok_at=wall,
            last_error=note,
        )

    def failed(self, trouble: Trouble, message: str, wall: datetime) -> "Connection":
        """After a cycle that did not."""
        return replace(
            self,
            trouble=trouble,
            connected=False,
            failures=self.failures + 1,
            since=self.since if self.trouble is trouble else wall,
            last_error=message,
        )

    def pause_s(self) -> float:
        """How long to wait after a failure before the next attempt."""
        if self.trouble in {Trouble.CREDENTIALS, Trouble.REFUSED, Trouble.SEALED}:
            return _REFUSED_PAUSE_S
        return _BACKOFF_S[min(max(self.failures, 1), len(_BACKOFF_S)) - 1]

    def differs(self, other: "Connection | None") -> bool:
        """Whether a person should see the change at once."""
        if other is None:
            return True
        mine = (self.connected, self.trouble, self.last_error)
        return mine != (other.connected, other.trouble, other.last_error)

    def body(self) -> dict[str, JsonValue]:
        """The part of the published state that comes from here."""
        return {
            "connected": self.connected,
            "trouble": self.trouble,
            "last_ok_at": self.last_ok_at.isoformat() if self.last_ok_at else None,
            "last_error": self.last_error or None,
            "clock_skew_s": self.clock_skew_s,
        }


def explain(trouble: Trouble, detail: str, *, user_id: str, skew_s: float | None) -> str:
    """What happened and what to do, in words."""
    match trouble:
        case Trouble.CREDENTIALS:
            text = (
                f"QuantConnect does not accept user id {user_id} with this API token. Check both"
                " under Account, Security on quantconnect.com and save them again; until then"
                " polling stops, but for one try in 5 minutes."
            )
            return text + clock_hint(skew_s)
        case Trouble.LIMITED:
            return f"QuantConnect limits our requests ({detail}). Polling slows down and goes on."
        case Trouble.UNREACHABLE:
            return f"QuantConnect cannot be reached ({detail}). Polling goes on once it answers."
        case Trouble.SEALED:
            return (
                f"The stored API token cannot be opened ({detail}). Enter user id and token again."
            )
        case Trouble.REFUSED:
            return (
                f"{detail}. Check the project id, and that the project still exists and is shared"
                f" with user {user_id}."
            )


def clock_hint(skew_s: float | None) -> str:
    """A clock that is far off looks exactly like a wrong token."""
    if skew_s is None or abs(skew_s) < SKEW_HINT_S:
        return ""
    side = "behind" if skew_s > 0 else "ahead of"
    return (
        f" This machine's clock is {abs(skew_s) / 60:.0f} minutes {side} QuantConnect's;"
        " set it first: beyond two hours a right token is refused too."
    )
