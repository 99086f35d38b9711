"""How the feed does: what fails and since when, told to people once each time."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import JsonValue

from market_data.live.alarms import Alarms, LiveHost
from signalbox.contracts.errors import Refused, SignalboxError
from signalbox.contracts.events import StateChanged
from signalbox.contracts.payloads import State
from signalbox.contracts.values import Severity
from signalbox.runtime import metrics

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)  # before somebody is told
MOST_SKEW_S = 5.0
_EMPTY, _JUMP, _SKEW, _UNKNOWN = "no_prices", "price_jump", "clock_skew", "unknown_symbol"
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
        self._alarms = Alarms(host)
        self._failing: dict[str, Trouble] = {}

    async def load(self, followed: Iterable[str]) -> None:
        """Take up what people were told before a restart; `followed`: symbols, series, topics.

        Raises:
            TransientError: that something is over could not be told.
        """
        await self._alarms.load({self._about(), *map(self._about, followed)})

    def _about(self, what: str = "") -> str:
        return f"feed:{self.name}:{what}" if what else f"feed:{self.name}"

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
            await self._alarms.over(kind.code, self._about(), f"{self.name} answers again.")
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
        if is_final or wall - since >= PATIENCE:
            advice = _KEYS if is_final else kind.advice
            message = f"No {topic} from {self.name}: {error}. {advice}"
            told = (kind.severity, kind.code, self._about(), message)
            await self._alarms.tell(*told, occurrence=since.isoformat())

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
        told = (_SKEW, self._about())
        if abs(skew_s) <= MOST_SKEW_S:
            words = f"This machine's clock agrees with {self.name}'s again."
            await self._alarms.over(*told, words)
        else:
            words = (
                f"This machine's clock differs by {abs(skew_s):.0f} s from {self.name}'s. Set this"
                " machine's clock by NTP: quotes from the future are refused."
            )
            occurrence = self._host.moment().wall.isoformat()
            await self._alarms.tell(Severity.WARNING, *told, words, occurrence=occurrence)

    async def set_aside(self, symbols: Iterable[str]) -> None:
        """Symbols that the provider does not know are asked for no more, until a restart."""
        for symbol in sorted(set(symbols) - self.unknown):
            words = (
                f"{self.name} does not know {symbol}: there are no prices of it. Correct"
                " SIGNALBOX_ALPACA_SYMBOLS and restart market-data."
            )
            told = (Severity.WARNING, _UNKNOWN, self._about(symbol), words)
            await self._alarms.tell(*told, occurrence=self._host.moment().wall.isoformat())
            self.unknown.add(symbol)

    async def note_known(self, symbols: Iterable[str]) -> None:
        """Symbols that the provider knows."""
        for symbol in symbols:
            await self._alarms.over(_UNKNOWN, self._about(symbol), f"{symbol} is known now.")

    async def note_empty(self, topic: str, symbols: Sequence[str]) -> None:
        """Tell which symbols have no prices at all, and when they have got some."""
        told, names = (_EMPTY, self._about(topic)), ", ".join(symbols)
        before = (self._alarms.raised(*told) or "").partition("|")[0]
        if not names:
            await self._alarms.over(*told, f"There are {topic} for {before}.")
        elif names != before:
            words = (
                f"{self.name} has no {topic} for {names}: check the spelling in"
                " SIGNALBOX_ALPACA_SYMBOLS."
            )
            occurrence = f"{names}|{self._host.moment().wall.isoformat()}"
            warned = (Severity.WARNING, *told, words)
            await self._alarms.tell(*warned, occurrence=occurrence, anew=True)
        await self.show()

    async def tell_rescaled(self, symbol: str, factor: Decimal) -> None:
        """Tell that a symbol's known prices have come on another scale."""
        text = f"{factor:.4g}"
        log.warning("%s gives the prices of %s times %s", self.name, symbol, text)
        await self._host.alert(
            Severity.WARNING,
            "price_scale",
            self._about(symbol),
            f"{self.name} gives the past prices of {symbol} times {text}, as after a split. Its"
            " history is replaced and strategies warm up on it again. Check the stops, targets and"
            f" quantities that you hold of {symbol}.",
            occurrence=f"{symbol}|{text}|{self._host.moment().wall.date().isoformat()}",
            active=False,  # it has happened, and nothing is left to wait for
        )

    async def note_cut(self, symbol: str, interval: str, at: datetime | None) -> None:
        """Tell where a series' history is cut because it may be of two scales, and when it is
        whole again.
        """
        told = (_JUMP, self._about(f"{symbol}:{interval}"))
        since = at.isoformat() if at else self._alarms.raised(*told)
        if since is None:
            return
        when = f"{datetime.fromisoformat(since):%Y-%m-%d %H:%M} UTC"
        jump = f"{interval} prices of {symbol} jumped by more than 30 % at {when}"
        if at is None:
            await self._alarms.over(*told, f"{jump}: that is no longer in doubt.")
            return
        advice = (
            f"If that was a split, {self.name} has not adjusted for it yet. Until it has, or for a"
            " week, older bars are left out, and strategies warm up on newer ones. Check what you"
            " hold."
        )
        warned = (Severity.WARNING, *told, f"{jump}. {advice}")
        await self._alarms.tell(*warned, occurrence=since, anew=True)

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


def _kind(topic: str) -> _Kind:
    return _NEWS if topic == NEWS else _PRICES
