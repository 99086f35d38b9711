"""What qc-ingest says about accounts and algorithms, as the REST interface answers it."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue, ValidationError

from gateway.domain.book_views import StateView
from gateway.domain.config_views import AlgorithmView, ConnectionStatus
from gateway.domain.connections import Connection


def _text(body: Mapping[str, JsonValue], *names: str) -> str:
    """The first of these fields that says something."""
    return next((str(body[name]) for name in names if body.get(name)), "")


def algorithm(state: StateView) -> AlgorithmView:
    """One algorithm."""
    body = state.body
    numbers = body.get("statistics")
    told = numbers if isinstance(numbers, dict) else {}
    return AlgorithmView(
        id=state.id,
        config_id=_text(body, "config_id"),
        name=_text(body, "name") or state.id,
        status=_text(body, "status") or "Unknown",
        target=_text(body, "target"),
        deploy_id=_text(body, "deploy_id"),
        launched=_text(body, "launched"),
        stopped=_text(body, "stopped"),
        brokerage=_text(body, "brokerage"),
        message=_text(body, "message"),
        performance={name: str(value) for name, value in told.items()},
        updated_at=state.at,
    )


def status(
    configs: Sequence[Connection],
    connections: Sequence[StateView],
    algorithms: Sequence[StateView],
) -> tuple[ConnectionStatus, ...]:
    """One entry for each config that is stored, whether or not it was ever connected."""
    told = {state.id: state.body for state in connections}
    views = [algorithm(state) for state in algorithms]
    return tuple(
        _status(config, told.get(config.id, {}), [v for v in views if v.config_id == config.id])
        for config in configs
    )


def _status(
    config: Connection, body: Mapping[str, JsonValue], algorithms: Sequence[AlgorithmView]
) -> ConnectionStatus:
    known = {
        "config_id": config.id,
        "name": config.name,
        "target": config.target.value,
        "is_active": config.active,
        "connected": False,
        "algorithms": tuple(algorithms),
    }
    told = ("connected", "last_ok_at", "last_error", "clock_skew_s", "rate_limit")
    said = {name: body[name] for name in told if body.get(name) is not None}
    try:
        return ConnectionStatus.model_validate({**known, **said})
    except ValidationError:
        return ConnectionStatus.model_validate(known)
