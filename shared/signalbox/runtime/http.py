"""HTTP to an API outside: its connections, whole answers of bounded size, and how long it asks to
wait.
"""

import time
from collections.abc import Mapping

import httpx

from signalbox.contracts.errors import TransientError


def open_http(
    url: str, headers: Mapping[str, str], *, connect_s: float, read_s: float
) -> httpx.AsyncClient:
    """Connections to one API. Redirects are not followed, as they would carry keys on; proxies of
    the environment are not used.
    """
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers={"User-Agent": "Signalbox/1", "Accept": "application/json", **headers},
        timeout=httpx.Timeout(read_s, connect=connect_s),
        follow_redirects=False,
        trust_env=False,
    )


async def exchange(
    http: httpx.AsyncClient, request: httpx.Request, most_bytes: int
) -> tuple[httpx.Response, bytes]:
    """Send a request once; its answer, read to the end. The deadline is the caller's.

    Raises:
        TransientError: the answer is larger than that.
        httpx.HTTPError, httpx.StreamError: there is no whole answer.
    """
    response = await http.send(request, stream=True)
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > most_bytes:
                raise TransientError("the answer is too large")
    finally:
        await response.aclose()
    return response, bytes(content)


def retry_after_s(headers: Mapping[str, str], *, usual_s: float, most_s: float) -> float:
    """How long to wait after a 429: what Retry-After or the time of the limit's reset says; the
    usual time where neither does, or one says more than `most_s`.
    """
    for name, base in (("retry-after", 0.0), ("x-ratelimit-reset", time.time())):
        try:
            wait_s = float(headers[name]) - base
        except (KeyError, ValueError):
            continue
        if 0 <= wait_s <= most_s:
            return wait_s
    return usual_s
