"""Who is joined to whom."""

from starlette.applications import Starlette

from executor.adapters.alpaca import Alpaca, Login
from executor.adapters.tables import metadata
from executor.adapters.updates import Updates
from executor.domain.broker import Addresses
from executor.handlers import verdicts, withdrawals
from executor.handlers.brokerage import Pace
from executor.handlers.commands import Commands
from executor.handlers.dealer import Dealers
from executor.handlers.floor import Floor
from executor.handlers.memory import Memory, Outflow
from executor.handlers.ranges import Ranges
from executor.handlers.work import Work
from executor.settings import Settings
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.subjects import subject
from signalbox.runtime.service import Service


def create_service(settings: Settings, *, pace: Pace | None = None) -> Service[ExecutorConfig]:
    """The executor, ready to start; `pace` is that of its dealings with brokers."""
    service = Service("executor", settings, config=ExecutorConfig, metadata=metadata, fenced=True)
    memory = Memory(
        allow_live=settings.allow_live, outflow=Outflow(settings.max_broker_orders_per_minute)
    )
    work = Work(service, memory)
    floor, commands = Floor(work), Commands(work)
    service.on_start(floor.start)
    service.consume(verdicts.build_handlers(memory))
    service.consume(withdrawals.build_handlers(memory))
    service.listen(subject("market", "quotes") + ".>", floor.hear)
    service.task(floor.fill_for_ever)
    service.task(floor.tick_for_ever)
    service.task(Ranges(work).follow_for_ever)

    def connect(account: AccountConfig) -> Alpaca:
        return Alpaca(_login(service, settings, account))

    def listen(account: AccountConfig) -> Updates:
        return Updates(_login(service, settings, account))

    service.task(Dealers(work, connect, pace, listen=listen).run)
    service.command("close", commands.close)
    service.command("cancel", commands.cancel)
    service.command("flatten", commands.flatten)
    service.command("clear_halt", commands.clear_halt)
    service.command("correct", commands.correct)
    return service


def _login(service: Service[ExecutorConfig], settings: Settings, account: AccountConfig) -> Login:
    """Where an account is, and its keys.

    Raises:
        PermanentError: a key is missing or does not open.
    """
    name = account.id
    key = service.box.open(account.key_sealed or "", config_id=name, field="api_key")
    secret = service.box.open(account.secret_sealed or "", config_id=name, field="api_secret")
    sandbox = f"{settings.sandbox_url.rstrip('/')}/alpaca"
    addresses = Addresses(sandbox, settings.alpaca_url, settings.alpaca_live_url)
    return Login(addresses.of(account), key, secret)


def create_app() -> Starlette:
    """What uvicorn starts."""
    return create_service(Settings()).app()
