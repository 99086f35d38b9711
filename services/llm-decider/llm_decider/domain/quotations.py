"""What others wrote, as quoted items with an id each: headlines, and the words of other sources."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from llm_decider.domain.cleaning import clean, fenced, quoted
from llm_decider.domain.shapes import Market
from llm_decider.domain.snapshot import fixed, minute
from signalbox.contracts.payloads import News, Signal
from signalbox.contracts.values import SourceType

MOST_ITEMS = 5  # of one kind and symbol
HEADLINE_CHARS, SUMMARY_CHARS, WORDS_CHARS, NAME_CHARS = 200, 300, 300, 64

Item = dict[str, str]


@dataclass(frozen=True, slots=True)
class Quotation:
    """Items of one kind, of several symbols."""

    items: tuple[tuple[str, Item], ...] = ()  # symbol and item
    notes: tuple[str, ...] = ()
    text: str = field(init=False)

    def __post_init__(self) -> None:
        lines = quoted([item for _, item in self.items]) or "none"
        object.__setattr__(self, "text", lines)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all items."""
        return tuple(item["id"] for _, item in self.items)

    def of(self, symbol: str) -> tuple[Item, ...]:
        """The items about one symbol."""
        return tuple(item for about, item in self.items if about == symbol)

    def fenced(self, token: str) -> str:
        """The items inside their fence."""
        return fenced(self.text, token)


def headlines(markets: Sequence[Market]) -> Quotation:
    """The newest headlines that were known at each market's time."""
    return _quotation(markets, "news", _news)


def words_of_others(markets: Sequence[Market], config_id: str) -> Quotation:
    """What sources other than this config say and still stand by."""

    def live(market: Market) -> Iterator[tuple[Item, tuple[str, ...]]]:
        newest = sorted(market.signals, key=lambda s: (s.raised_at, str(s.signal_id)), reverse=True)
        for signal in newest:
            own = signal.source_type is SourceType.LLM and signal.source_id == config_id
            if not own and signal.raised_at <= market.now < signal.valid_until:
                yield _said(signal)

    return _quotation(markets, "signal", live)


def _quotation(
    markets: Sequence[Market],
    kind: str,
    read: Callable[[Market], Iterator[tuple[Item, tuple[str, ...]]]],
) -> Quotation:
    items: list[tuple[str, Item]] = []
    notes: list[str] = []
    for market in markets:
        for number, (item, flags) in enumerate(read(market), start=1):
            if number > MOST_ITEMS:
                notes.append(
                    f"{market.symbol}: more than {MOST_ITEMS} items of {kind}, newest shown"
                )
                break
            key = f"{market.symbol}.{kind}.{number}"
            items.append((market.symbol, {"id": key} | item))
            notes += [f"{key}: {flag}" for flag in flags]
    return Quotation(tuple(items), tuple(notes))


def _news(market: Market) -> Iterator[tuple[Item, tuple[str, ...]]]:
    known = [news for news in market.news if news.published_at <= market.now]
    for news in sorted(known, key=lambda n: (n.published_at, n.news_id), reverse=True):
        yield _printed(news)


def _printed(news: News) -> tuple[Item, tuple[str, ...]]:
    headline = clean(news.headline, HEADLINE_CHARS)
    item = {"published": minute(news.published_at), "headline": headline.text}
    summary = clean(news.summary, SUMMARY_CHARS)
    if summary.text:
        item["summary"] = summary.text
    return item, tuple(dict.fromkeys(headline.flags + summary.flags))


def _said(signal: Signal) -> tuple[Item, tuple[str, ...]]:
    name, words = clean(signal.source_id, NAME_CHARS), clean(signal.reasoning, WORDS_CHARS)
    item = {
        "source": signal.source_type.value,
        "name": name.text,
        "action": signal.action.value,
        "confidence": fixed(signal.confidence, 2),
        "raised": minute(signal.raised_at),
        "says": words.text,
    }
    return item, tuple(dict.fromkeys(name.flags + words.flags))
