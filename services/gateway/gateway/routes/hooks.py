"""Where QuantConnect algorithms push what they say. Outside /api: callers are no users."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Request, status

from gateway.domain.quantconnect_views import PushTaken
from gateway.domain.webhooks import Call
from gateway.routes.context import GetContext
from gateway.routes.query import Id

router = APIRouter(prefix="/hooks", tags=["webhooks"])
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "JSON of any shape that the snippet or QuantConnect sends, under any content type, at"
            " most 64 KiB. A signature covers the text in `payload`, which names `sentAt`: seconds"
            " since 1970, at most 5 minutes from now."
        ),
        "content": {"application/json": {"schema": {}}},
    }
}


@router.post(
    "/quantconnect/{config_id}",
    operation_id="push_quantconnect_signals",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=_BODY,
)
async def push_signals(
    config_id: Id,
    request: Request,
    context: GetContext,
    authorization: Annotated[
        str | None, Header(max_length=600, description="`Bearer` and the webhook's secret.")
    ] = None,
    x_signalbox_signature: Annotated[
        str | None,
        Header(max_length=200, description="`sha256=` and the HMAC-SHA256 of `payload`, in hex."),
    ] = None,
) -> PushTaken:
    """Take what an algorithm pushes; 202 once it is stored. A repeat is 202 again and counts once.
    Real accounts must sign.
    """
    body = (await request.body()).decode(errors="surrogateescape")
    bearer = _BEARER.fullmatch(authorization or "")
    call = Call(body, bearer[1] if bearer else None, x_signalbox_signature)
    push_id, repeated = await context.webhooks.receive(context.db, config_id, call)
    return PushTaken(push_id=str(push_id), repeated=repeated)
