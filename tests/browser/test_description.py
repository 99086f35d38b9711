"""The description of the REST interface, as people read it."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
JSON = "application/json"


def test_every_operation_is_shown_with_its_own_examples(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    described = rest.get("/api/openapi.json").raise_for_status().json()
    operations = [one for path in described["paths"].values() for one in path.values()]
    page = open_page("/api/docs", signed_in=False)
    expect(page.locator("article")).to_have_count(len(operations))
    for operation in operations:
        found = page.locator(f"[id='op-{operation['operationId']}']")
        shown = [json.loads(text) for text in found.locator("pre").all_text_contents()]
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        examples: list[Any] = [
            body["content"][JSON]["example"]
            for body in bodies
            if "example" in body.get("content", {}).get(JSON, {})
        ]
        assert [one for one in shown if one in examples] == examples, operation["operationId"]
        words = found.locator("td code").all_text_contents()
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                assert json.dumps(parameter["example"], separators=(",", ":")) in words
