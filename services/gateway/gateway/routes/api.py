"""The whole REST interface as one application."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import JsonValue
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from gateway.adapters.openapi import illustrate
from gateway.routes import (
    ai_trading,
    ai_trading_costs,
    ai_trading_decisions,
    ai_trading_prompts,
    algorithms,
    auth,
    backtests,
    books,
    bots,
    calibration,
    chains,
    exports,
    hooks,
    ledger,
    notices,
    orders,
    pages,
    problems,
    quantconnect,
    quantconnect_signals,
    signals,
    stream,
    switches,
    tokens,
    verdicts,
)
from gateway.routes.context import Context
from gateway.routes.examples import accounts as account_examples
from gateway.routes.examples import algorithms as algorithm_examples
from gateway.routes.examples import decisions, language_models, prompts, urgent
from gateway.routes.examples import ledger as ledger_examples
from gateway.routes.headers import BodyLimit, Measured, SecurityHeaders
from gateway.routes.problems import MEDIA_TYPE, Problem

ROUTERS = (
    auth.router,
    bots.router,
    quantconnect_signals.router,
    quantconnect.router,
    algorithms.router,
    backtests.router,
    hooks.router,
    ai_trading.router,
    ai_trading_costs.router,
    ai_trading_decisions.router,
    ai_trading_prompts.router,
    calibration.router,
    signals.router,
    chains.router,
    verdicts.router,
    orders.router,
    exports.router,
    books.router,
    ledger.router,
    tokens.router,
    notices.router,
    switches.router,
    stream.router,
)
_EXAMPLES = (
    account_examples.EXAMPLES,
    algorithm_examples.EXAMPLES,
    language_models.EXAMPLES,
    decisions.EXAMPLES,
    prompts.EXAMPLES,
    ledger_examples.EXAMPLES,
    urgent.EXAMPLES,
)
_ABOUT = (
    "Signals, verdicts, orders, fills and lots of every source. Times are RFC 3339 in UTC; money, "
    "prices and quantities are text. Lists take `limit` and `cursor` and answer `items` and "
    "`next_cursor`. Errors are problem documents (RFC 9457)."
)
_ANY_ERROR: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "A problem document",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
VERSION = "1"  # of the interface
_WORTH_PACKING = 1024  # bytes
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_api(context: Context, *, lifespan: Lifespan, extra: Sequence[BaseRoute]) -> FastAPI:
    """Join every route, error and header."""
    app = FastAPI(
        title="Signalbox",
        version=VERSION,
        description=_ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        routes=list(extra),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Measured),
            Middleware(BodyLimit),
            # An event stream goes out as it is: compressed, an event would wait for the next.
            Middleware(GZipMiddleware, minimum_size=_WORTH_PACKING, compresslevel=6),
        ],
        responses=_ANY_ERROR,
    )
    app.state.context = context
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    pages.mount(app)
    describe(app)
    return app


def describe(app: FastAPI) -> None:
    """Add what every error looks like to the description of the interface."""

    def openapi() -> dict[str, JsonValue]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts = problem.pop("$defs", {})
            schema["components"]["schemas"] |= {"Problem": problem, **parts}
            for examples in _EXAMPLES:
                illustrate(schema, examples)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how the framework wants it replaced
