"""Who is joined to whom."""

from starlette.applications import Starlette

from signalbox.contracts.config import StrategyConfig
from signalbox.runtime.service import Service
from strategy_runner.handlers import Runner, build_handlers
from strategy_runner.settings import Settings


def create_app() -> Starlette:
    """The strategies, ready to be served."""
    return build_service(Settings()).app()


def build_service(settings: Settings) -> Service[StrategyConfig]:
    """The strategies with everything they do registered."""
    service = Service("strategy-runner", settings, config=StrategyConfig)
    runner = Runner(service)
    service.config.changed.append(runner.hurry)
    service.check("history", lambda: runner.problem)
    service.on_start(runner.show_kinds)
    service.on_start(runner.start)
    service.consume(build_handlers(runner))
    service.task(runner.run)
    return service
