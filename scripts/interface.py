"""The description of the REST interface, which the page's types are made from."""

import json

from gateway.app import build_app
from gateway.settings import Settings


def openapi() -> str:
    """The document as `/api/openapi.json` answers it, sorted."""
    document = build_app(Settings(_env_file=None)).openapi()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
