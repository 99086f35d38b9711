"""Waits until the compose stack works: gateway ready, every service reached by Prometheus, its
rules evaluated, Alertmanager told.
"""

import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request
from typing import Any

PATIENCE_S = 180
_PAUSE_S = 2
GATEWAY = f"http://127.0.0.1:{os.environ.get('SIGNALBOX_GATEWAY_PORT', '8000')}/readyz"
DOWN = urllib.parse.quote('up{job="signalbox"} == 0 or absent(up{job="signalbox"})')
PROMETHEUS = "http://127.0.0.1:9090/api/v1"
ALERTMANAGER = "http://127.0.0.1:9093/api/v2"


def answer(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=3) as response:
        return json.load(response)


def what_is_missing() -> str:
    """What is still to wait for; empty when nothing is."""
    try:
        answer(GATEWAY)
        down = answer(f"{PROMETHEUS}/query?query={DOWN}")["data"]["result"]
        groups = answer(f"{PROMETHEUS}/rules")["data"]["groups"]
        told = {alert["labels"]["alertname"] for alert in answer(f"{ALERTMANAGER}/alerts")}
    except (OSError, ValueError) as error:
        return f"no answer yet: {error}"
    missing = sorted(series["metric"].get("instance", "all") for series in down)
    rules = [rule for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    missing += [f"rule {rule['name']} is {rule['health']}" for rule in rules]
    if "DeadMan" not in told:
        missing.append("no alert has reached Alertmanager")
    return ", ".join(missing)


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
