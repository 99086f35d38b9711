"""Books whose short positions have outgrown their margin: people are told, nothing is sold."""

from collections.abc import Mapping

from executor.domain.alarms import Alarm
from executor.domain.desk import Desk
from executor.domain.funds import under_margin
from executor.handlers.alarms import Alarms

_CODE = "margin_low"


def low_margins(desk: Desk) -> dict[str, str]:
    """What is to be said of every bot that has such a book."""
    found: dict[str, str] = {}
    for (bot, account), book in sorted(desk.books.items()):
        words = under_margin(book)
        if words:
            found[bot] = (
                f"{bot} in account {account}: {words}. Nothing is opened until its cash alone"
                " is worth 150 %; nothing is closed by itself. Buy back some of it, or flatten the"
                " bot."
            )
    return found


async def tell_margins(alarms: Alarms, low: Mapping[str, str]) -> None:
    """Raise what is new, and end what is over."""
    for bot, words in low.items():
        await alarms.tell(Alarm(_CODE, f"bot:{bot}"), words)
    for told in alarms.raised():
        bot = told.about.removeprefix("bot:")
        if told.code == _CODE and bot not in low:
            words = f"what {bot} is short of has its margin again, or is closed"
            await alarms.over(_CODE, told.about, words)
