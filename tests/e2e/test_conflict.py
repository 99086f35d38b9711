"""Two sources want opposite things of one symbol: the higher one wins, and the loser is told."""

import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.voices import Voices
from signalbox.contracts.values import Action, SourceType
from signalbox.testing.wait import until
from tests.e2e.reading import holds, judged, settled

pytestmark = pytest.mark.e2e
SOURCES = [{"source_type": "strategy"}, {"source_type": "quantconnect"}]
PROJECT = {"source_type": SourceType.QUANTCONNECT, "source_id": "42000001"}


async def test_the_higher_source_wins_and_the_loser_names_it(
    gateway: Gateway, voices: Voices
) -> None:
    await add_bot(gateway, id="duel", symbols=["DUEL"], sources=SOURCES)
    await voices.quote("DUEL")
    low = voices.signal("DUEL", Action.BUY, "duel-1")
    await voices.speak(low)
    order = await until(lambda: settled(gateway, low, "duel"), 15)
    assert (order["state"], order["source_id"]) == ("filled", "tester")
    await until(lambda: holds(gateway, "duel", "DUEL", order["filled"]), 10)

    high = voices.signal("DUEL", Action.SELL, "duel-2", **PROJECT)
    await voices.speak(high)
    verdict = await until(lambda: judged(gateway, high, "duel"), 15)
    assert (verdict["outcome"], verdict["reason"]) == ("accepted", "leads")
    order = await until(lambda: settled(gateway, high, "duel"), 15)
    assert (order["state"], order["side"]) == ("filled", "sell")
    await until(lambda: holds(gateway, "duel", "DUEL", 0), 10)

    loser = voices.signal("DUEL", Action.BUY, "duel-3")
    await voices.speak(loser)
    verdict = await until(lambda: judged(gateway, loser, "duel"), 15)
    assert (verdict["outcome"], verdict["reason"]) == ("suppressed", "held_by_higher")
    assert verdict["winner_id"] == str(high.signal_id)
    assert {word["signal_id"] for word in verdict["inputs"]} == {str(high.signal_id)}
    chain = await gateway.get(f"/api/signals/{loser.signal_id}")
    assert [v["bot"] for v in chain["verdicts"] if v["outcome"] == "accepted"] == []
    assert chain["orders"] == []


async def test_the_same_side_from_below_is_led_not_doubled(
    gateway: Gateway, voices: Voices
) -> None:
    await add_bot(gateway, id="choir", symbols=["CHOIR"], sources=SOURCES)
    await voices.quote("CHOIR")
    lead = voices.signal("CHOIR", Action.BUY, "choir-1", **PROJECT)
    await voices.speak(lead)
    order = await until(lambda: settled(gateway, lead, "choir"), 15)
    await until(lambda: holds(gateway, "choir", "CHOIR", order["filled"]), 10)
    follower = voices.signal("CHOIR", Action.BUY, "choir-2")
    await voices.speak(follower)
    verdict = await until(lambda: judged(gateway, follower, "choir"), 15)
    assert (verdict["outcome"], verdict["reason"]) == ("suppressed", "led_by_higher")
    assert verdict["winner_id"] == str(lead.signal_id)
    assert await holds(gateway, "choir", "CHOIR", order["filled"])
