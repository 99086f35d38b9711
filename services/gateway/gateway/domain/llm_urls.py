"""Where a model's key and prompts may be sent."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from signalbox.contracts.errors import Malformed

_LOCAL_ENDINGS = ("localhost", ".local", ".internal", ".lan", ".home.arpa")
ALLOW = "SIGNALBOX_LLM_PRIVATE_URLS=true"


def check_base_url(provider: str, url: str, *, private: bool) -> None:
    """Refuse an address that a key must not be sent to.

    Args:
        provider: `openai` or `claude`.
        url: of a compatible server.
        private: whether the operator allows servers on this machine and in private networks.

    Raises:
        Malformed: it is not https, carries credentials or a query, points into a private network
            that is not allowed, or is not the form that the provider's client wants.
    """
    parts = _split(url)
    host = (parts.hostname or "").rstrip(".")  # one at the end changes nothing
    if parts.username is not None or parts.password is not None:
        raise Malformed("base_url: leave user and password out; the key goes into api_key")
    if parts.query or parts.fragment:
        raise Malformed("base_url: leave out what follows ? or #")
    if provider == "claude" and parts.path.rstrip("/").endswith("/v1"):
        raise Malformed("base_url: leave out /v1 here; Anthropic's client adds it")
    inside = _is_inside(host)
    if inside and not private:
        raise Malformed(
            f"base_url: {host} is on this machine or in a private network; an operator allows such"
            f" servers with {ALLOW}"
        )
    if parts.scheme == "http" and not inside:
        raise Malformed("base_url: use https, or the key travels readable for everybody")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Malformed("base_url: this is not an address") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise Malformed("base_url: write it as https://host/path")
    if not url.isascii() or any(c.isspace() or c == "\\" for c in url) or "%" in parts.netloc:
        raise Malformed("base_url: use plain characters only")
    return parts


def _is_inside(host: str) -> bool:
    """Whether a host is this machine, or in a private network by its address or its name.

    Raises:
        Malformed: it is an address that no model server has.
    """
    found = _address(host)
    if found is None:
        return "." not in host or host.endswith(_LOCAL_ENDINGS)
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        raise Malformed(f"base_url: no model server has the address {host}")
    return not found.is_global


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The host as an address; none for a name.

    Raises:
        Malformed: it looks like an address in a short or odd notation, which hides where it leads.
    """
    try:
        found = ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        if last.isdigit() or last.startswith("0x"):
            raise Malformed(f"base_url: write the address {host} in full") from None
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
