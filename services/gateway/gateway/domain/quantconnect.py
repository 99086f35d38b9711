"""What qc-ingest says of accounts, algorithms and backtests, as the REST interface answers it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue, ValidationError

from gateway.domain.algorithm_views import AlgorithmDetail, AlgorithmView, JobView, Unread
from gateway.domain.backtest_views import BacktestDetail, BacktestView
from gateway.domain.bodies import slug_of
from gateway.domain.book_views import StateView
from gateway.domain.connections import Connection
from gateway.domain.quantconnect_views import ConnectionStatus, WebhookView
from gateway.domain.roles import Person
from gateway.domain.setup import pick
from signalbox.contracts import ids
from signalbox.contracts.errors import Conflict, NotFound

Told = Mapping[str, JsonValue]

_TEXTS = ("target", "language", "deploy_id", "launched", "stopped", "brokerage", "message")


def _text(body: Told, *names: str) -> str:
    """The first of these fields that says something."""
    return next((str(body[name]) for name in names if body.get(name) is not None), "")


def _texts(value: JsonValue) -> dict[str, str]:
    """A map to texts; of a list of `{key, value}` too."""
    if isinstance(value, list):
        pairs = [(r.get("key"), r.get("value")) for r in value if isinstance(r, dict)]
        return {str(key): str(text) for key, text in pairs if key}
    given = value if isinstance(value, dict) else {}
    return {key: str(text) for key, text in given.items()}


def _given(body: Told) -> dict[str, JsonValue]:
    """Without what is not there, so that a view's own words stand for it."""
    return {name: value for name, value in body.items() if value is not None}


def _algorithm(body: Told, key: str) -> dict[str, object]:
    return {
        "id": key,
        "config_id": _text(body, "config_id"),
        "name": _text(body, "name") or f"Project {key}",
        "status": _text(body, "status") or "Not deployed",
        **{name: _text(body, name) for name in _TEXTS},
        "modified": body.get("modified"),
        "performance": _texts(body.get("performance") or body.get("statistics")),
        "fetched_at": body.get("fetched_at"),
    }


def algorithm(state: StateView) -> AlgorithmView:
    """One live algorithm, as it was last published."""
    return AlgorithmView.model_validate(
        {**_algorithm(state.body, state.id), "fetched_at": state.at}
    )


def algorithms(rows: JsonValue) -> tuple[AlgorithmView, ...]:
    """Every project that qc-ingest has read, by id and account."""
    told = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    views = [AlgorithmView.model_validate(_algorithm(r, _text(r, "project_id"))) for r in told]
    return tuple(sorted(views, key=place))


def unread(told: Told) -> tuple[Unread, ...]:
    """The accounts that could not be read."""
    rows = told.get("problems")
    return tuple(map(Unread.model_validate, rows if isinstance(rows, list) else ()))


def place(view: AlgorithmView) -> str:
    """Where an algorithm stands in a list; sorts by id, then account."""
    return f"{view.id.zfill(20)}|{view.config_id}"


def algorithm_detail(body: Told, key: str, config_id: str) -> AlgorithmDetail:
    """One algorithm with all that qc-ingest has read of it."""
    parts = ("description", "files", "portfolio", "nodes", "history", "logs", "notes")
    live = body.get("live")
    message = _text(live, "message") if isinstance(live, dict) else ""
    return AlgorithmDetail.model_validate(
        {
            **{name: body[name] for name in parts if body.get(name) is not None},
            **_algorithm({"config_id": config_id, "message": message, **_given(body)}, key),
            "parameters": _texts(body.get("parameters")),
        }
    )


def id_once(name: str | None, person: Person, key: str) -> str:
    """The id of what a person adds under an idempotency key: a repeat adds nothing more."""
    base = slug_of(name or "") or "quantconnect"
    return f"{base[:51]}-{ids.derive(person.username, 'quantconnect config', key).hex[:12]}"


def followers(connections: Iterable[Connection], project_id: str) -> list[str]:
    """The accounts that may hold a project: those that follow it, or all of theirs."""
    return [c.id for c in connections if c.active and str(c.project_id or project_id) == project_id]


def choose(
    connections: Sequence[Connection], project_id: str, config: str | None
) -> tuple[str, ...]:
    """The account that is meant, or those among which only QuantConnect knows.

    Raises:
        NotFound: the named account is not there, or no active one may hold the project.
    """
    if config is not None:
        return (pick(connections, config, "QuantConnect config").id,)
    found = followers(connections, project_id)
    if not found:
        raise NotFound(
            f"no active QuantConnect config may hold project {project_id};"
            " add its account or activate it under /api/quantconnect/config"
        )
    return tuple(found)


def holder(views: Iterable[AlgorithmView], project_id: str) -> str:
    """The one account that holds a project.

    Raises:
        NotFound: none does.
        Conflict: several do.
    """
    found = sorted({view.config_id for view in views if view.id == project_id})
    if not found:
        raise NotFound(
            f"no account holds project {project_id};"
            " GET /api/quantconnect/algorithms?refresh=true lists those that can be read"
        )
    if len(found) > 1:
        raise Conflict(f"project {project_id} is in {' and '.join(found)}; say which with ?config=")
    return found[0]


def job(state: StateView) -> JobView:
    """One job, as far as it is."""
    body = {"kind": "deploy", "config_id": "", "status": "running", **_given(state.body)}
    return JobView.model_validate(
        {**body, **_algorithm_of(body), "id": state.id, "updated_at": state.at}
    )


def backtest(key: str, body: Told, created_at: datetime, at: datetime) -> BacktestView:
    """One backtest, as far as it is."""
    return BacktestView.model_validate(_backtest(key, body, created_at, at))


def _backtest(key: str, body: Told, created_at: datetime, at: datetime) -> dict[str, object]:
    return {
        "config_id": "",
        "status": "queued",
        **_given(body),
        **_algorithm_of(body),
        "id": key,
        "parameters": _texts(body.get("parameters")),
        "statistics": _texts(body.get("statistics")),
        "created_at": created_at,
        "updated_at": at,
    }


def _algorithm_of(body: Told) -> dict[str, str]:
    return {
        "algorithm_id": _text(body, "project_id"),
        "algorithm_name": _text(body, "project_name"),
    }


def backtest_detail(view: BacktestView, told: Told, missing: str | None) -> BacktestDetail:
    """A backtest with what qc-ingest stores of its result, or why that is missing."""
    parts = ("performance", "error", "stacktrace", "notes")
    return BacktestDetail.model_validate(
        {
            **view.model_dump(),
            **{name: told[name] for name in parts if told.get(name) is not None},
            "statistics": _texts(told.get("statistics")) or view.statistics,
            "missing": missing,
        }
    )


def status(
    configs: Sequence[Connection],
    connections: Sequence[StateView],
    algorithms: Sequence[StateView],
    webhooks: Mapping[str, WebhookView | None],
) -> tuple[ConnectionStatus, ...]:
    """One entry for each config that is stored, whether or not it was ever connected."""
    told = {state.id: state.body for state in connections}
    views = [algorithm(state) for state in algorithms]
    return tuple(
        _status(
            config,
            told.get(config.id, {}),
            [v for v in views if v.config_id == config.id],
            webhooks.get(config.id),
        )
        for config in configs
    )


def _status(
    config: Connection,
    body: Told,
    algorithms: Sequence[AlgorithmView],
    webhook: WebhookView | None,
) -> ConnectionStatus:
    known = {
        "config_id": config.id,
        "name": config.name,
        "target": config.target.value,
        "is_active": config.active,
        "connected": False,
        "webhook": webhook,
        "algorithms": tuple(algorithms),
    }
    told = ("connected", "last_ok_at", "last_error", "clock_skew_s", "rate_limit")
    said = {name: body[name] for name in told if body.get(name) is not None}
    try:
        return ConnectionStatus.model_validate({**known, **said})
    except ValidationError:
        return ConnectionStatus.model_validate(known)
