"""Prompts: versions that never change, and a pointer to the one that decisions use."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from gateway.adapters.llm_tables import prompt_activations, prompt_versions, prompts
from gateway.domain import standard_prompt
from gateway.domain.cursor import Cursor, Page
from gateway.domain.prompts import MOST, Activation, Draft, StoredVersion, SummedUp
from signalbox.contracts.config import PromptVersion
from signalbox.contracts.errors import Conflict, NotFound

_SETUP = "setup"  # the author of what comes with the program


def active(sql: Connection) -> list[PromptVersion]:
    """The version of each prompt that decisions use."""
    query = select(prompt_versions).join(
        prompts,
        (prompts.c.id == prompt_versions.c.prompt_id)
        & (prompts.c.active_version == prompt_versions.c.version),
    )
    rows = sql.execute(query.order_by(prompts.c.id))
    return [PromptVersion.model_validate(row._asdict()) for row in rows]


def add(sql: Connection, draft: Draft, by: str, at: datetime) -> StoredVersion:
    """Keep a version of a prompt, and the prompt itself when it is its first. Words that a version
    has already are that version.

    Raises:
        Conflict: there are too many prompts or versions.
    """
    known = sql.execute(
        select(prompt_versions)
        .where(prompt_versions.c.prompt_id == draft.prompt_id, prompt_versions.c.hash == draft.hash)
        .order_by(prompt_versions.c.version.desc())
        .limit(1)
    ).one_or_none()
    if known is not None:
        return _version(known)
    last = _newest(sql).get(draft.prompt_id, 0)
    if last >= MOST or (not last and len(_newest(sql)) >= MOST):
        raise Conflict(f"there are {MOST} already; no more can be kept")
    row = {
        "prompt_id": draft.prompt_id,
        "version": last + 1,
        "name": draft.name,
        "system": draft.system,
        "user": draft.user,
        "hash": draft.hash,
        "created_by": by,
        "created_at": at,
    }
    sql.execute(prompt_versions.insert(), [row])
    if last:
        sql.execute(prompts.update().where(prompts.c.id == draft.prompt_id).values(updated_at=at))
    else:
        pointer = {"id": draft.prompt_id, "active_version": 1, "created_at": at, "updated_at": at}
        sql.execute(prompts.insert(), [pointer])
        _note(sql, draft.prompt_id, 1, None, by=by, at=at)
    return StoredVersion.model_validate(row)


def activate(sql: Connection, prompt_id: str, version: int, by: str, at: datetime) -> None:
    """Let decisions use this version from now on; who did it is kept.

    Raises:
        NotFound: there is no such prompt or version.
    """
    one_version(sql, prompt_id, version)
    before = sql.scalar(select(prompts.c.active_version).where(prompts.c.id == prompt_id))
    if before == version:
        return
    change = prompts.update().where(prompts.c.id == prompt_id)
    sql.execute(change.values(active_version=version, updated_at=at))
    _note(sql, prompt_id, version, before, by=by, at=at)


def _note(
    sql: Connection, prompt_id: str, version: int, previous: int | None, *, by: str, at: datetime
) -> None:
    of_prompt = prompt_activations.c.prompt_id == prompt_id
    last = sql.scalar(select(func.max(prompt_activations.c.number)).where(of_prompt)) or 0
    row = {
        "prompt_id": prompt_id,
        "number": last + 1,
        "version": version,
        "previous": previous,
        "by": by,
        "at": at,
    }
    sql.execute(prompt_activations.insert(), [row])


def ensure_standard(sql: Connection, at: datetime) -> None:
    """Keep the prompt that comes with the program; later words of it become a further version,
    which a person activates.
    """
    draft = Draft(
        prompt_id=standard_prompt.ID,
        name=standard_prompt.NAME,
        system=standard_prompt.SYSTEM,
        user=standard_prompt.USER,
    )
    add(sql, draft, _SETUP, at)


def summed_up(sql: Connection) -> list[SummedUp]:
    """Every prompt with its pointer, by id."""
    newest = _newest(sql)
    named = {version.prompt_id: version.name for version in active(sql)}
    rows = sql.execute(select(prompts).order_by(prompts.c.id))
    return [
        SummedUp.model_validate(
            {**row._asdict(), "name": named[row.id], "latest_version": newest[row.id]}
        )
        for row in rows
    ]


def one_version(sql: Connection, prompt_id: str, version: int | None = None) -> StoredVersion:
    """One version of a prompt; without a number the active one.

    Raises:
        NotFound: there is none.
    """
    table = prompt_versions
    query = select(table).where(table.c.prompt_id == prompt_id)
    if version is None:
        query = query.join(
            prompts,
            (prompts.c.id == table.c.prompt_id) & (prompts.c.active_version == table.c.version),
        )
    else:
        query = query.where(table.c.version == version)
    row = sql.execute(query).one_or_none()
    if row is None:
        number = "" if version is None else f" with a version {version}"
        raise NotFound(f"there is no prompt {prompt_id!r}{number}; GET /api/ai-trading/prompts")
    return _version(row)


def versions(sql: Connection, prompt_id: str, page: Page) -> tuple[list[StoredVersion], str | None]:
    """A prompt's versions, newest first, and where the list goes on."""
    table = prompt_versions
    query = select(table).where(table.c.prompt_id == prompt_id)
    if page.after is not None:
        query = query.where(table.c.version < page.after.at_us)
    rows = list(sql.execute(query.order_by(table.c.version.desc()).limit(page.limit + 1)))
    found = [_version(row) for row in rows[: page.limit]]
    if len(rows) <= page.limit:
        return found, None
    return found, Cursor(found[-1].version, prompt_id).encode()


def activations(sql: Connection, prompt_id: str, most: int = 50) -> list[Activation]:
    """Who let decisions use which version, newest first."""
    table = prompt_activations
    query = select(table).where(table.c.prompt_id == prompt_id)
    rows = sql.execute(query.order_by(table.c.number.desc()).limit(most))
    return [Activation.model_validate(row._asdict()) for row in rows]


def _newest(sql: Connection) -> Mapping[str, int]:
    table = prompt_versions
    query = select(table.c.prompt_id, func.max(table.c.version)).group_by(table.c.prompt_id)
    return {row[0]: row[1] for row in sql.execute(query)}


def _version(row: Row[tuple[object, ...]]) -> StoredVersion:
    return StoredVersion.model_validate(row._asdict())
