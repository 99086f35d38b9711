"""What belongs together, found by any of its parts."""

from fastapi import APIRouter

from gateway.adapters.views.chains import chain_of
from gateway.domain.submissions import NotStored
from gateway.domain.views import ChainView
from gateway.routes.access import Viewer
from gateway.routes.context import GetContext
from gateway.routes.query import Id

router = APIRouter(prefix="/api/chains", tags=["signals"])


@router.get("/{part_id:path}", operation_id="read_chain")
async def read_chain(part_id: Id, context: GetContext, _who: Viewer) -> ChainView:
    """Signal, verdicts, orders, fills and lots, by the id of any of them."""
    chain = await context.read(lambda sql: chain_of(sql, part_id))
    if chain is None:
        raise NotStored(f"there is no signal, verdict, order, fill or lot {part_id}")
    return chain
