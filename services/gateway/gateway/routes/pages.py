"""The page, its files, and the description of the REST interface."""

from pathlib import Path, PurePosixPath

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE = Path(__file__).parent.parent / "static"  # made by scripts/build_web.py
DOCS = Path(__file__).parent.parent / "api_docs"
router = APIRouter(include_in_schema=False)
_CHECK_FIRST = "no-cache"
_FOREVER = "public, max-age=31536000, immutable"
_READS = {"GET", "HEAD"}
_SERVICE_PATHS = {("api",), ("hooks",)}  # never answered with the page
_PACKED = {"js": "text/javascript", "css": "text/css"}
_NOT_BUILT = (
    "The page is not built yet: run `make page` and load this again.\n"
    "The REST interface works without it; /api/docs describes it.\n"
)


class Page(StaticFiles):
    """The page's files as they were built. Its own addresses, such as /ai-trading, are no files and
    answer the page itself; files named by their content are kept for good.
    """

    def __init__(self, folder: Path, otherwise: ASGIApp) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route has."""
        path = PurePosixPath(scope["path"].lstrip("/"))
        reads = scope["type"] == "http" and scope["method"] in _READS
        if not reads or path.parts[:1] in _SERVICE_PATHS:
            await self._otherwise(scope, receive, send)
            return
        response = await self._answer(path, scope)
        await response(scope, receive, send)

    async def _answer(self, path: PurePosixPath, scope: Scope) -> Response:
        kept = path.parts[:1] == ("assets",)
        if kept or (path.suffix and path.name != "index.html"):
            response = await self._file(str(path), scope)
            response.headers["Cache-Control"] = _FOREVER if kept else _CHECK_FIRST
            return response
        try:
            response = await self.get_response("index.html", scope)
        except HTTPException:
            return PlainTextResponse(_NOT_BUILT)
        response.headers["Cache-Control"] = _CHECK_FIRST
        return response

    async def _file(self, path: str, scope: Scope) -> Response:
        """A file; as it was compressed when it was built, for those who take that."""
        kind = _PACKED.get(path.rpartition(".")[2])
        takes = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if not kind or not takes:
            return await self.get_response(path, scope)
        try:
            response = await self.get_response(f"{path}.gz", scope)
        except HTTPException:  # there is none
            return await self.get_response(path, scope)
        response.headers["Content-Type"] = f"{kind}; charset=utf-8"
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        return response


@router.get("/api/docs")
async def read_docs() -> FileResponse:
    """The REST interface, described for people."""
    return FileResponse(DOCS / "index.html")


def mount(app: FastAPI) -> None:
    """Serve the page; after every other route."""
    app.include_router(router)
    app.mount("/api/docs", StaticFiles(directory=DOCS), name="docs")
    app.router.default = Page(PAGE, app.router.default)
