"""Who reads which stream, which buckets exist, and what each NATS user may do. Provisioning makes
it so.
"""

from dataclasses import dataclass, field

from signalbox.contracts.subjects import ARCHIVED, PREFIX, STREAMS

SERVICES = (
    "market-data",
    "qc-ingest",
    "llm-decider",
    "strategy-runner",
    "decision-router",
    "executor",
    "lab",
    "gateway",
)
PORTS = {
    "gateway": 8000,
    "qc-ingest": 8101,
    "llm-decider": 8102,
    "decision-router": 8103,
    "executor": 8104,
    "market-data": 8105,
    "strategy-runner": 8106,
    "lab": 8107,
}
CONFIG_BUCKET = "CONFIG"
KEYS_BUCKET = "KEYS"
CLOCK_BUCKET = "CLOCK"
BUCKETS = (CONFIG_BUCKET, KEYS_BUCKET, CLOCK_BUCKET)


@dataclass(frozen=True, slots=True)
class Consumer:
    """One durable pull consumer. A pinned one has one active reader and standbys."""

    stream: str
    durable: str
    pinned: bool = False
    filter_subject: str | None = None
    only_new: bool = False


_TAKEN_BACK = f"{PREFIX}.signals.quantconnect.>"  # nobody else takes a word back
CONSUMERS = (
    Consumer("SIGNALS", "decision-router", pinned=True),
    Consumer("VERDICTS", "executor", pinned=True),
    Consumer("SIGNALS", "executor", pinned=True, filter_subject=_TAKEN_BACK),
    Consumer("INGRESS", "qc-ingest"),
    Consumer("MARKET", "llm-decider", filter_subject=f"{PREFIX}.market.bars.>", only_new=True),
    Consumer("BOOKS", "llm-decider"),
    Consumer("SIGNALS", "lab", pinned=True),
    Consumer("MARKET", "strategy-runner", filter_subject=f"{PREFIX}.market.bars.>", only_new=True),
    *(Consumer(stream, "gateway", pinned=True) for stream in ARCHIVED),
)


@dataclass(frozen=True, slots=True)
class User:
    """A NATS user: what it may publish beyond reading its own consumers, and subscribe beyond its
    inbox.
    """

    name: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    streams: tuple[str, ...] = field(default=())  # streams it may read without a durable of its own


def own(service: str) -> tuple[str, ...]:
    """What every service may publish: its state, alerts and dead letters."""
    return (f"{PREFIX}.state.{service}.>", f"{PREFIX}.alerts.>", f"{PREFIX}.dead.{service}")


def answers(service: str) -> tuple[str, ...]:
    """Where a service is asked."""
    return (f"{PREFIX}.cmd.{service}.>",)


_BARS = (f"{PREFIX}.cmd.market-data.bars", f"{PREFIX}.cmd.market-data.symbols")
_QUOTES = f"{PREFIX}.market.quotes.>"

USERS = (
    User(
        "market-data",
        (*own("market-data"), f"{PREFIX}.market.>", f"$KV.{CLOCK_BUCKET}.>"),
        answers("market-data"),
    ),
    User(
        "qc-ingest",
        (*own("qc-ingest"), f"{PREFIX}.signals.quantconnect.>"),
        answers("qc-ingest"),
    ),
    User(
        "llm-decider",
        (*own("llm-decider"), f"{PREFIX}.signals.llm.>", f"{PREFIX}.llm.>", *_BARS),
        (
            *answers("llm-decider"),
            _QUOTES,
            f"{PREFIX}.market.news.>",
            f"{PREFIX}.books.>",
            f"{PREFIX}.signals.>",
        ),
        ("MARKET", "BOOKS", "SIGNALS"),
    ),
    User(
        "strategy-runner",
        (*own("strategy-runner"), f"{PREFIX}.signals.strategy.>", *_BARS),
        answers("strategy-runner"),
    ),
    User(
        "decision-router",
        (*own("decision-router"), f"{PREFIX}.verdicts.>"),
        answers("decision-router"),
    ),
    User(
        "executor",
        (*own("executor"), f"{PREFIX}.orders.>", f"{PREFIX}.books.>", *_BARS),
        (*answers("executor"), _QUOTES),
        ("MARKET",),
    ),
    User(
        "lab",
        (*own("lab"), f"{PREFIX}.outcomes.>", *_BARS),
        answers("lab"),
    ),
    User(
        "gateway",
        (
            *own("gateway"),
            f"{PREFIX}.signals.manual.>",
            f"{PREFIX}.signals.external.>",
            f"{PREFIX}.ingress.>",
            f"{PREFIX}.cmd.>",
            f"$KV.{CONFIG_BUCKET}.>",
        ),
        (*answers("gateway"), f"{PREFIX}.market.>"),
        ("MARKET",),
    ),
    User("sandbox", _BARS, (f"{PREFIX}.market.bars.>", _QUOTES), ("MARKET",)),
    User("reader", (), (f"{PREFIX}.>",), (*ARCHIVED, "MARKET")),
)


def written_alone(service: str) -> tuple[str, ...]:
    """The streams that only this service writes, as the third token of their subjects."""
    writers: dict[str, set[str]] = {}
    for user in USERS:
        for subject in user.publish:
            writers.setdefault(".".join(subject.split(".")[:3]), set()).add(user.name)
    return tuple(
        stream.subjects[0].split(".")[2]
        for stream in STREAMS
        if writers.get(stream.subjects[0].removesuffix(".>")) == {service}
    )
