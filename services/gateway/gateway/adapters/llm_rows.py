"""Language models as rows of `llm_trading_configs`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from gateway.adapters.llm_tables import llm_trading_configs
from gateway.domain.llm import LanguageModel

_NAMES = {
    "user_id": "owner",
    "api_key": "key_sealed",
    "api_key_hint": "key_hint",
    "api_key_at": "key_at",
    "prompt_template": "prompt_id",
    "is_active": "active",
}  # by column: the field, where the two differ
_COLUMNS = {
    column.name: _NAMES.get(column.name, column.name)
    for column in llm_trading_configs.columns
    if column.name != "settings"
}


def load(sql: Connection) -> list[dict[str, Any]]:
    """The fields of every model, by id."""
    rows = sql.execute(select(llm_trading_configs).order_by(llm_trading_configs.c.id))
    return [_fields(row._asdict()) for row in rows]


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row["settings"], **{field: row[column] for column, field in _COLUMNS.items()}}


def row_of(model: LanguageModel) -> dict[str, Any]:
    """A model as a row."""
    return {
        **{column: getattr(model, field) for column, field in _COLUMNS.items()},
        "target": model.target.value,
        "settings": model.model_dump(mode="json", exclude=set(_COLUMNS.values())),
    }
