"""Whether sources are right as often as they say."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.adapters.views import calibration
from gateway.adapters.views.calibration import ScoreFilter
from gateway.domain.calibration_views import CalibrationView, JudgedBy, judged
from gateway.domain.views import Listing
from gateway.routes.access import Viewer
from gateway.routes.context import GetContext
from gateway.routes.query import GetSpan, Word
from signalbox.contracts.values import SourceType, Target

router = APIRouter(prefix="/api/calibration", tags=["calibration"])


@router.get("", operation_id="list_calibration")
async def list_calibration(
    context: GetContext,
    _who: Viewer,
    span: GetSpan,
    *,
    by: Annotated[JudgedBy, Query()] = "source",
    source_type: Annotated[SourceType | None, Query()] = None,
    source_id: Word = None,
    symbol: Word = None,
    model: Word = None,
    prompt: Annotated[
        str | None, Query(max_length=128, description="A version, such as `standard@1`.")
    ] = None,
    target: Annotated[
        Target | None, Query(description="`real` leaves out the sandbox's language models.")
    ] = None,
) -> Listing[CalibrationView]:
    """Hit rate, Brier score and reliability curve of buys and sells that were scored at their
    horizon, those with most scores first. Below 200 scores there are counts and no curve.
    """
    wanted = ScoreFilter(
        source_type=source_type,
        source_id=source_id,
        symbol=symbol,
        model=model,
        prompt_version=prompt,
        target=target,
        span=span,
    )
    found = await context.read(lambda sql: calibration.scores(sql, by, wanted))
    return Listing(items=judged(found))
