"""How the feed does: what fails and since when, told to people once each time."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from market_data.handlers import Host
from signalbox.contracts.errors import Refused, SignalboxError
from signalbox.contracts.events import StateChanged
from signalbox.contracts.payloads import State
from signalbox.contracts.values import Severity
from signalbox.runtime import metrics

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)  # before somebody is told
MOST_SKEW_S = 5.0
NEWS = "news"  # the one topic without which prices go on
_KEYS = (
    "Check ALPACA_API_KEY, ALPACA_API_SECRET and, for stocks, that the plan covers"
    " SIGNALBOX_ALPACA_FEED; then restart market-data."
)


class _Kind(NamedTuple):
    """How people are told of a topic."""

    code: str
    severity: Severity
    advice: str


_PRICES = _Kind(
    "feed_down",
    Severity.CRITICAL,
    "Bars and quotes wait; bots open nothing on old prices. It is tried again by itself.",
)
_NEWS = _Kind(
    "news_down",
    Severity.WARNING,
    "Prices go on; models see no new headlines. It is tried again by itself.",
)


class LiveHost(Host, Protocol):
    """What a live feed needs of the service that it runs in."""

    async def alert(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        active: bool = True,
    ) -> None:
        """Tell people; the same occurrence tells once."""


class Trouble(NamedTuple):
    """What a topic fails with."""

    since: datetime
    error: SignalboxError


class Health:
    """The state of one provider, over its topics: bars of each kind, quotes, news."""

    def __init__(self, name: str, host: LiveHost) -> None:
        self.name = name
        self.refused: Counter[str] = Counter()  # rows, by reason
        self.late = 0  # bars that came after a newer one was out
        self.corrected = 0
        self.unknown: set[str] = set()  # symbols that the provider does not know
        self.skew_s: float | None = None
        self.last_ok_at: datetime | None = None
        self.describe: Callable[[], dict[str, JsonValue]] = dict  # what else the state says
        self._host = host
        self._failing: dict[str, Trouble] = {}
        self._told: dict[_Kind, datetime] = {}  # what people know to be down, and since when
        self._skewed: datetime | None = None
        self._cut: dict[str, datetime | None] = {}  # by series, from where on its history is whole
        self._empty: dict[str, tuple[str, ...]] = {}  # by topic, symbols without prices

    @property
    def problem(self) -> str | None:
        """Why the feed does not work; None when it does."""
        return next((str(trouble.error) for trouble in self._failing.values()), None)

    async def well(self, topic: str) -> None:
        """A topic was read."""
        is_news = self._failing.pop(topic, None) is not None or self.last_ok_at is None
        self.last_ok_at = self._host.moment().wall
        kind = _kind(topic)
        if not self._fails(kind):
            self._measure()
            if (since := self._told.get(kind)) is not None:
                await self._tell(kind, since, f"{self.name} answers again.", active=False)
                del self._told[kind]
        if is_news and not self._failing:
            log.info("%s answers", self.name)
            await self.show()

    async def ill(self, topic: str, error: SignalboxError) -> None:
        """A topic could not be read."""
        wall, kind = self._host.moment().wall, _kind(topic)
        began = topic not in self._failing
        since = wall if began else self._failing[topic].since
        self._failing[topic] = Trouble(since, error)
        if began:
            log.warning("%s cannot be read: %s", topic, error)
            self._measure()
            await self.show()
        is_final = isinstance(error, Refused)
        if kind not in self._told and (is_final or wall - since >= PATIENCE):
            advice = _KEYS if is_final else kind.advice
            message = f"No {topic} from {self.name}: {error}. {advice}"
            await self._tell(kind, since, message, active=True)
            self._told[kind] = since

    def _fails(self, kind: _Kind) -> bool:
        return any(_kind(topic) is kind for topic in self._failing)

    def _measure(self) -> None:
        metrics.FEED_CONNECTED.labels(self.name).set(not self._fails(_PRICES))

    async def refuse(self, origin: str, refused: Counter[str]) -> None:
        """Count rows that were not taken."""
        if refused:
            self.refused += refused
            metrics.ROWS_REFUSED.labels(origin).inc(refused.total())

    async def look_at_clock(self, skew_s: float | None) -> None:
        """Tell when our clock and the provider's differ, and when they agree again."""
        self.skew_s = skew_s
        if skew_s is None:
            return
        wall, is_off = self._host.moment().wall, abs(skew_s) > MOST_SKEW_S
        if is_off and self._skewed is None:
            differs = f"differs by {abs(skew_s):.0f} s from {self.name}'s"
            await self._tell_clock(wall, differs, active=True)
            self._skewed = wall
        elif not is_off and self._skewed is not None:
            await self._tell_clock(self._skewed, f"agrees with {self.name}'s again", active=False)
            self._skewed = None

    async def set_aside(self, symbols: Iterable[str]) -> None:
        """Symbols that the provider does not know are asked for no more, until a restart."""
        for symbol in sorted(set(symbols) - self.unknown):
            await self._host.alert(
                Severity.WARNING,
                "unknown_symbol",
                f"feed:{self.name}:{symbol}",
                f"{self.name} does not know {symbol}: there are no prices of it. Correct"
                " SIGNALBOX_ALPACA_SYMBOLS and restart market-data.",
                occurrence=f"{symbol}|{self._host.moment().wall.date().isoformat()}",
            )
            self.unknown.add(symbol)

    async def note_empty(self, topic: str, symbols: Sequence[str]) -> None:
        """Tell which symbols have no prices at all, and when they have got some."""
        before, now = self._empty.get(topic, ()), tuple(symbols)
        if now != before:
            names = ", ".join(now or before)
            told = f"{self.name} has no {topic} for {names}: check the spelling"
            await self._host.alert(
                Severity.WARNING,
                "no_prices",
                f"feed:{self.name}:{topic}",
                f"{told} in SIGNALBOX_ALPACA_SYMBOLS."
                if now
                else f"There are {topic} for {names}.",
                occurrence=f"{names}|{self._host.moment().wall.date().isoformat()}",
                active=bool(now),
            )
        self._empty[topic] = now
        await self.show()

    async def tell_rescaled(self, symbol: str, factor: Decimal) -> None:
        """Tell that a symbol's known prices have come on another scale."""
        text = f"{factor:.4g}"
        log.warning("%s gives the prices of %s times %s", self.name, symbol, text)
        await self._host.alert(
            Severity.WARNING,
            "price_scale",
            f"feed:{self.name}:{symbol}",
            f"{self.name} gives the past prices of {symbol} times {text}, as after a split. Its"
            " history is replaced and strategies warm up on it again. Check the stops, targets and"
            f" quantities that you hold of {symbol}.",
            occurrence=f"{symbol}|{text}|{self._host.moment().wall.date().isoformat()}",
        )

    async def note_cut(self, symbol: str, interval: str, at: datetime | None) -> None:
        """Tell where a series' history is cut because it may be of two scales, and when it is
        whole again.
        """
        about = f"feed:{self.name}:{symbol}:{interval}"
        before = self._cut.get(about)
        if at == before:
            return
        since = at or before
        jump = (
            f"{interval} prices of {symbol} jumped by more than 30 % at {since:%Y-%m-%d %H:%M} UTC"
        )
        advice = (
            f"If that was a split, {self.name} has not adjusted for it yet. Until it has, or for a"
            " week, older bars are left out, and strategies warm up on newer ones. Check what you"
            " hold."
        )
        await self._host.alert(
            Severity.WARNING,
            "price_jump",
            about,
            f"{jump}. {advice}" if at else f"{jump}: that is no longer in doubt.",
            occurrence=f"{since}",
            active=at is not None,
        )
        self._cut[about] = at

    async def show(self) -> None:
        """Publish the feed's state."""
        moment = self._host.moment()
        body: dict[str, JsonValue] = {
            "feed": self.name,
            "connected": not self._fails(_PRICES) and self.last_ok_at is not None,
            "last_ok_at": self.last_ok_at.isoformat() if self.last_ok_at else None,
            "problems": {topic: str(trouble.error) for topic, trouble in self._failing.items()},
            "refused": dict(self.refused),
            "late": self.late,
            "corrected": self.corrected,
            "unknown_symbols": [*sorted(self.unknown)],
            "clock_skew_s": None if self.skew_s is None else f"{self.skew_s:.1f}",
            **self.describe(),
        }
        state = State(service=moment.service, kind="feed", id=self.name, body=body, at=moment.wall)
        await self._host.publish([moment.event(StateChanged, state)])

    async def _tell(self, kind: _Kind, since: datetime, message: str, *, active: bool) -> None:
        await self._host.alert(
            kind.severity,
            kind.code,
            f"feed:{self.name}",
            message,
            occurrence=since.isoformat(),
            active=active,
        )

    async def _tell_clock(self, since: datetime, what: str, *, active: bool) -> None:
        advice = ". Set this machine's clock by NTP: quotes from the future are refused"
        await self._host.alert(
            Severity.WARNING,
            "clock_skew",
            f"feed:{self.name}",
            f"This machine's clock {what}{advice if active else ''}.",
            occurrence=since.isoformat(),
            active=active,
        )


def _kind(topic: str) -> _Kind:
    return _NEWS if topic == NEWS else _PRICES
