"""Waits until the compose stack works: gateway ready, every service reached by Prometheus."""

import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request

PATIENCE_S = 180
_PAUSE_S = 2
GATEWAY = f"http://127.0.0.1:{os.environ.get('SIGNALBOX_GATEWAY_PORT', '8000')}/readyz"
DOWN = urllib.parse.quote('up{job="signalbox"} == 0 or absent(up{job="signalbox"})')
PROMETHEUS = f"http://127.0.0.1:9090/api/v1/query?query={DOWN}"


def answer(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=3) as response:
        return bytes(response.read())


def what_is_missing() -> str:
    """What is still to wait for; empty when nothing is."""
    try:
        answer(GATEWAY)
        down = json.loads(answer(PROMETHEUS))["data"]["result"]
    except (OSError, ValueError) as error:
        return f"no answer yet: {error}"
    return ", ".join(sorted(series["metric"].get("instance", "all") for series in down))


def main() -> int:
    give_up_at = time.monotonic() + PATIENCE_S
    while missing := what_is_missing():
        if time.monotonic() > give_up_at:
            print(f"not ready after {PATIENCE_S} s: {missing}")
            return 1
        threading.Event().wait(_PAUSE_S)
    print("every service is ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
