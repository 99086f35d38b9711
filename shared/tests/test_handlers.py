"""A consumer that wants little of a stream passes over the rest unread."""

import pytest

from signalbox.contracts.events import SignalRaised, SignalWithdrawn
from signalbox.runtime.handlers import Handlers
from signalbox.testing.examples import a_signal, raised

BODY = raised(a_signal()).encode()


@pytest.mark.parametrize(
    ("kind", "skims", "concerns"),
    [
        pytest.param(SignalRaised, True, True, id="its own"),
        pytest.param(SignalWithdrawn, True, False, id="another's"),
        pytest.param(SignalWithdrawn, False, True, id="everything is read"),
    ],
)
def test_what_concerns_a_consumer(kind: type[SignalRaised], skims: bool, concerns: bool) -> None:
    handlers: Handlers[None] = Handlers("SIGNALS", "odd-jobs", skims=skims)
    handlers.on(kind)(lambda _event, _state, _moment: ())
    assert handlers.concerns(BODY) is concerns
