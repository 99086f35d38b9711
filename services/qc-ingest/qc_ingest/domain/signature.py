"""How a request to QuantConnect is signed."""

import base64
import hashlib


def sign(user_id: str, token: str, timestamp: int) -> dict[str, str]:
    """The headers of one request.

    The token itself never travels. The signature is good for two hours, so it is never shown.
    """
    digest = hashlib.sha256(f"{token}:{timestamp}".encode()).hexdigest()
    login = base64.b64encode(f"{user_id}:{digest}".encode()).decode()
    return {"Timestamp": str(timestamp), "Authorization": f"Basic {login}"}
