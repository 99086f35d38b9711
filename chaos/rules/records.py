"""What is kept of everything: no dead letters, a whole archive, and lists that agree with it."""

from collections.abc import Iterable, Iterator

from chaos.evidence import Evidence


def everything_came_to_rest(seen: Evidence) -> Iterator[str]:
    """When nobody is killed any more, every message is soon handled."""
    for consumer, count in seen.backlog.items():
        yield f"{consumer} still has {count} to handle"


def nothing_was_set_aside(seen: Evidence) -> Iterator[str]:
    """No dead letters."""
    for event in seen.dead:
        yield f"{event.data.service} set {event.data.message_id} aside: {event.data.reason}"
    if seen.answers.dead_letters != len(seen.dead):
        yield f"REST knows of {seen.answers.dead_letters} dead letters"


def the_archive_holds_every_event(seen: Evidence) -> Iterator[str]:
    """The gateway's archive is the record of every stream."""
    for name, found in seen.streams.items():
        missing = {str(one.event.id) for one in found if one.event} - seen.archive
        if missing:
            yield f"{name}: {len(missing)} of {len(found)} are not archived, one is {min(missing)}"


def read_models_agree(seen: Evidence) -> Iterator[str]:
    """REST lists exactly the verdicts, orders and fills of the streams."""
    answers = seen.answers
    fills = (event.data.fill for event in seen.fills())
    yield from _differ(
        "verdicts", (str(e.data.verdict_id) for e in seen.verdicts), answers.verdicts
    )
    yield from _differ("orders", (e.data.order_id for e in seen.orders), answers.orders)
    yield from _differ("fills", (fill.fill_id for fill in fills if fill), answers.fills)


def _differ(what: str, streamed: Iterable[str], listed: frozenset[str]) -> Iterator[str]:
    expected = frozenset(streamed)
    if expected != listed:
        lacking, extra = sorted(expected - listed), sorted(listed - expected)
        counts = f"{len(lacking)} are not listed, {len(extra)} are made up"
        yield f"{what}: {counts}, such as {(lacking + extra)[0]}"
