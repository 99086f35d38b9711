"""How signals turned out, beside the confidence that their sources had."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Null, String, func, null, select, type_coerce

from gateway.adapters.llm_tables import llm_trading_decisions as decisions
from gateway.adapters.read_tables import outcomes
from gateway.adapters.views.paging import ALWAYS, Span, equal
from gateway.domain.calibration import Scores
from gateway.domain.calibration_views import Judged, JudgedBy
from signalbox.contracts.values import Action

_SIDES = {action.value: action for action in (Action.BUY, Action.SELL)}
_WHOM: Mapping[JudgedBy, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "source": (outcomes.c.source_type, outcomes.c.source_id),
    "symbol": (null(), outcomes.c.symbol),
    "model": (null(), decisions.c.model),
    "prompt": (null(), decisions.c.prompt_version),
}


@dataclass(frozen=True, slots=True)
class ScoreFilter:
    """Which scores are wanted; none takes all."""

    source_type: str | None = None
    source_id: str | None = None
    symbol: str | None = None
    model: str | None = None
    prompt_id: str | None = None  # every version of one
    prompt_version: str | None = None
    target: str | None = None  # of language models
    span: Span = ALWAYS


def scores(sql: Connection, by: JudgedBy, wanted: ScoreFilter) -> Mapping[Judged, Sequence[Scores]]:
    """What came of every buy and sell. By model or prompt version language models alone count.

    The database puts the returns of one action and confidence into one row: most of the work.
    """
    asked = equal(
        [
            (decisions.c.model, wanted.model),
            (decisions.c.prompt_version, wanted.prompt_version),
            (decisions.c.target, wanted.target),
        ]
    )
    if wanted.prompt_id is not None:
        version = decisions.c.prompt_version
        asked.append(version.startswith(f"{wanted.prompt_id}@", autoescape=True))
    alike = (*_WHOM[by], outcomes.c.action, outcomes.c.confidence)
    returns = func.aggregate_strings(type_coerce(outcomes.c.forward_return, String), ",")
    query = select(*alike, returns).where(
        outcomes.c.action.in_(_SIDES),
        *equal(
            [
                (outcomes.c.source_type, wanted.source_type),
                (outcomes.c.source_id, wanted.source_id),
                (outcomes.c.symbol, wanted.symbol),
            ]
        ),
        *wanted.span.within(outcomes.c.at),
        *asked,
    )
    if asked or by in ("model", "prompt"):
        query = query.join(decisions, decisions.c.signal_id == outcomes.c.signal_id)
    found: defaultdict[Judged, list[Scores]] = defaultdict(list)
    grouped = query.group_by(*(one for one in alike if not isinstance(one, Null)))
    for source_type, key, action, confidence, listed in sql.execute(grouped):
        known = Scores.of(_SIDES[action], confidence, [*map(Decimal, listed.split(","))])
        found[Judged(source_type, key)].append(known)
    return found
