"""Every signal is written down with the time at which it can be judged."""

from lab.adapters import store
from lab.domain.scoring import claim_of, refusal
from signalbox.contracts.config import LabConfig
from signalbox.contracts.events import SignalRaised
from signalbox.runtime import metrics
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment


def build_handlers() -> Handlers[store.Work]:
    """Everything that happens when a signal is raised."""
    handlers = Handlers("SIGNALS", "lab", load=store.load, save=store.save, after=_count)

    @handlers.on(SignalRaised)
    def on_signal_raised(event: SignalRaised, work: store.Work, moment: Moment[LabConfig]) -> None:
        """Outcomes: it waits for its horizon; or it will never have a score, and the row says why.
        A signal that comes again changes nothing.
        """
        signal = event.data
        work.heard.append((claim_of(signal), refusal(signal, replay=moment.replay)))

    return handlers


def _count(work: store.Work) -> None:
    for claim, why in work.heard:
        if why:
            metrics.OUTCOMES.labels(claim.source_type, why.value).inc()
