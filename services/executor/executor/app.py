"""Who is joined to whom."""

from starlette.applications import Starlette

from executor.adapters.tables import metadata
from executor.handlers.commands import Commands
from executor.handlers.floor import Floor
from executor.handlers.memory import Memory
from executor.handlers.verdicts import build_handlers
from executor.handlers.work import Work
from executor.settings import Settings
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.subjects import subject
from signalbox.runtime.service import Service


def create_service(settings: Settings) -> Service[ExecutorConfig]:
    """The executor, ready to start."""
    service = Service("executor", settings, config=ExecutorConfig, metadata=metadata, fenced=True)
    memory = Memory()
    work = Work(service, memory)
    floor, commands = Floor(work), Commands(work)
    service.on_start(floor.start)
    service.consume(build_handlers(memory))
    service.listen(subject("market", "quotes") + ".>", floor.hear)
    service.task(floor.fill_for_ever)
    service.task(floor.tick_for_ever)
    service.command("close", commands.close)
    service.command("cancel", commands.cancel)
    service.command("flatten", commands.flatten)
    service.command("clear_halt", commands.clear_halt)
    return service


def create_app() -> Starlette:
    """What uvicorn starts."""
    return create_service(Settings()).app()
