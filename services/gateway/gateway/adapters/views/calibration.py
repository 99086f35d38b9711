"""How signals turned out, beside the confidence that their sources had."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.adapters.llm_tables import llm_trading_decisions as decisions
from gateway.adapters.read_tables import outcomes
from gateway.adapters.views.paging import ALWAYS, Span, equal
from gateway.domain.calibration import Score
from gateway.domain.calibration_views import Judged, JudgedBy
from signalbox.contracts.values import Action

_SIDES = (Action.BUY.value, Action.SELL.value)


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


def scores(sql: Connection, by: JudgedBy, wanted: ScoreFilter) -> Mapping[Judged, Sequence[Score]]:
    """What came of every buy and sell. By model or prompt version language models alone count."""
    query = select(
        outcomes.c.source_type,
        outcomes.c.source_id,
        outcomes.c.symbol,
        outcomes.c.action,
        outcomes.c.confidence,
        outcomes.c.forward_return,
        decisions.c.model,
        decisions.c.prompt_version,
    ).join(decisions, decisions.c.signal_id == outcomes.c.signal_id, isouter=True)
    query = query.where(
        outcomes.c.action.in_(_SIDES),
        *equal(
            [
                (outcomes.c.source_type, wanted.source_type),
                (outcomes.c.source_id, wanted.source_id),
                (outcomes.c.symbol, wanted.symbol),
                (decisions.c.model, wanted.model),
                (decisions.c.prompt_version, wanted.prompt_version),
                (decisions.c.target, wanted.target),
            ]
        ),
        *wanted.span.within(outcomes.c.at),
    )
    if wanted.prompt_id is not None:
        version = decisions.c.prompt_version
        query = query.where(version.startswith(f"{wanted.prompt_id}@", autoescape=True))
    found: defaultdict[Judged, list[Score]] = defaultdict(list)
    for row in sql.execute(query):
        whom = {
            "source": (row.source_type, row.source_id),
            "symbol": (None, row.symbol),
            "model": (None, row.model),
            "prompt": (None, row.prompt_version),
        }[by]
        if whom[1] is not None:
            score = Score(Action(row.action), row.confidence, row.forward_return)
            found[Judged(*whom)].append(score)
    return found
