"""What the gateway sees to when it becomes active: a first user, configuration, keys, the demo."""

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters import user_store
from gateway.adapters.views import ledger
from gateway.domain import admission, demo, llm, llm_edits
from gateway.domain.edits import SealedSecret
from gateway.domain.roles import Person, Role
from gateway.routes.context import Context
from signalbox.contracts.errors import TransientError
from signalbox.runtime import metrics
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import Database

log = logging.getLogger(__name__)

_OWNER = "qc-ingest"
_ADMIN = "admin"
_PASSWORD_FILE = "admin-password"  # noqa: S105 - a file's name


@dataclass(frozen=True, slots=True, repr=False)
class Environment:
    """What the environment brings along."""

    home: Path
    admin_password: str | None
    demo: bool
    quantconnect_api_key: str | None
    quantconnect_api_secret: str | None
    openai_api_key: str | None = None
    anthropic_api_key: str | None = None


async def start(context: Context, environment: Environment) -> None:
    """Everything in an order in which each step may fail and the whole is done again."""
    db = context.service.db
    if db is None:
        raise TransientError("the database is not open")
    await _first_user(context, db, environment)
    await context.configuration.restore()
    await _import_keys(context, environment)
    for provider, key in (
        ("openai", environment.openai_api_key),
        ("claude", environment.anthropic_api_key),
    ):
        if key:
            await _import_model_key(context, provider, key)
    if environment.demo:
        await _demo(context)
    for (source_type, source_id), gained in (await db.read(ledger.realised)).items():
        metrics.PNL_REALIZED.labels(source_type, source_id).set(float(gained))
    context.ready = True


async def _first_user(context: Context, db: Database, environment: Environment) -> None:
    if await db.read(user_store.count):
        return
    password = environment.admin_password or _password_in(environment.home / _PASSWORD_FILE)
    hashed = await context.passwords.hash(password)
    person = Person(user_id=secrets.token_hex(16), username=_ADMIN, role=Role.ADMIN)
    await db.write(lambda sql: user_store.add(sql, person, hashed, wall_now()))
    log.info("the first user is %s", _ADMIN)


def _password_in(path: Path) -> str:
    """The password in the file, which is made when it is not there; only its owner reads it."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text().strip()
        if kept:
            return kept
        path.unlink()
        return _password_in(path)
    password = secrets.token_urlsafe(18)
    with os.fdopen(handle, "w") as file:
        file.write(f"{password}\n")
        file.flush()
        os.fsync(file.fileno())
    return password


async def _admin_id(context: Context) -> str:
    db = context.service.db
    user = await db.read(lambda sql: user_store.find(sql, _ADMIN)) if db else None
    return user.person.user_id if user else ""


async def _import_keys(context: Context, environment: Environment) -> None:
    api_key, secret = environment.quantconnect_api_key, environment.quantconnect_api_secret
    if not api_key or not secret:
        return
    if admission.is_known(await context.configuration.read(), api_key, secret):
        return
    sealed = await context.configuration.seal(
        _OWNER, config_id=admission.KEY, field="token", secret=secret
    )
    kept = SealedSecret.of(api_key, secret, sealed)
    owner, at = await _admin_id(context), wall_now()
    await context.configuration.change(
        lambda setup, _version: admission.import_key(setup, api_key, kept, owner=owner, at=at),
        author="environment",
    )
    log.info("QuantConnect's key was imported from the environment")


async def _import_model_key(context: Context, provider: str, key: str) -> None:
    if llm_edits.is_known(await context.configuration.read(), provider, key):
        return
    config_id, _ = llm_edits.IMPORTED[provider]
    kept = llm_edits.sealed_key(provider, key, await _seal_model_key(context, config_id, key))
    owner, at = await _admin_id(context), wall_now()
    await context.configuration.change(
        lambda setup, _version: llm_edits.import_key(setup, provider, kept, owner=owner, at=at),
        author="environment",
    )
    log.info("the key of %s was imported from the environment; pick a model for it", provider)


async def _seal_model_key(context: Context, config_id: str, key: str) -> str:
    return await context.configuration.seal(
        llm.OWNER, config_id=config_id, field=llm.KEY_FIELD, secret=key
    )


async def _demo(context: Context) -> None:
    """Once in a database's life, and only into an empty one."""
    sealed = await context.configuration.seal(
        _OWNER, config_id=demo.CONFIG, field="token", secret=demo.TOKEN
    )
    keys = {name: await _seal_model_key(context, name, demo.MODEL_KEY) for name in demo.MODELS}
    owner, at = await _admin_id(context), wall_now()
    await context.configuration.first_time(
        demo.MARKER,
        lambda setup, version: (
            setup
            if setup.bots or setup.strategies
            else demo.demo(setup, version, sealed=sealed, keys=keys, owner=owner, at=at)
        ),
    )
