"""The venue's quotes, as market-data publishes them."""

import logging

from nats.aio.msg import Msg

from sandbox.alpaca.venue import Venue
from signalbox.contracts.errors import Malformed
from signalbox.contracts.events import QuoteUpdated, decode
from signalbox.contracts.subjects import subject
from signalbox.runtime.bus import Bus

log = logging.getLogger(__name__)


async def follow(bus: Bus, venue: Venue) -> None:
    """Hear every quote from now on."""

    async def hear(message: Msg) -> None:
        try:
            event = decode(message.data)
        except Malformed as error:
            log.warning("a quote was not taken: %r", error)
            return
        if isinstance(event, QuoteUpdated):
            venue.hear(event.data)

    await bus.nc.subscribe(subject("market", "quotes") + ".>", cb=hear)
