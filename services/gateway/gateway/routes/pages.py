"""The page, its files, and the description of the REST interface."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent.parent / "static"
router = APIRouter(include_in_schema=False)
_CHECK_FIRST = {"Cache-Control": "no-cache"}


class Assets(StaticFiles):
    """Files that a browser asks about before it uses its copy."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file, or why not."""
        response = await super().get_response(path, scope)
        response.headers.update(_CHECK_FIRST)
        return response


@router.get("/")
async def read_page() -> FileResponse:
    """The page. It signs in by itself and asks the API for everything else."""
    return FileResponse(STATIC / "index.html", headers=_CHECK_FIRST)


@router.get("/api/docs")
async def read_docs() -> FileResponse:
    """The REST interface, described for people."""
    return FileResponse(STATIC / "docs.html")


def mount(app: FastAPI) -> None:
    """Serve the page; after every other route."""
    app.include_router(router)
    app.mount("/assets", Assets(directory=STATIC), name="assets")
