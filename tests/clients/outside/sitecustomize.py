"""Read by Python at its start: QuantConnect's local address is the test's, all else is away."""

import os
import socket
from typing import Any

LOCAL = ("localhost", 5612)  # where the client looks when QC_API is `local`
_find = socket.getaddrinfo


def find(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
    """Addresses of the sandbox alone."""
    if (host, port) != LOCAL:
        raise socket.gaierror(socket.EAI_NONAME, "a test asks nobody outside")
    return _find("127.0.0.1", int(os.environ["SANDBOX_PORT"]), *rest, **named)


socket.getaddrinfo = find
