"""Who is joined to whom."""

from starlette.applications import Starlette

from lab.adapters.tables import metadata
from lab.handlers import build_handlers
from lab.settings import Settings
from lab.worker import Lab, Scorer
from signalbox.contracts.config import LabConfig
from signalbox.runtime.service import Service


def create_app() -> Starlette:
    """The lab, ready to be served."""
    return build_service(Settings()).app()


def build_service(settings: Settings) -> Lab:
    """The lab with everything it does registered."""
    service: Lab = Service("lab", settings, config=LabConfig, metadata=metadata, fenced=True)
    scorer = Scorer(service)
    service.check("prices", lambda: scorer.problem)
    service.consume(build_handlers())
    service.command("outcome", scorer.outcome, reads=True)
    service.task(scorer.run)
    return service
