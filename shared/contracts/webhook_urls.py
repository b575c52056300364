"""Where webhooks may go: addresses on the public internet, and no others (docs/rules.md#webhook-addresses)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 1000
HTTPS_PORT, HTTP_PORT = 443, 80

TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""Networks in which an IPv4 address is the end of an IPv6 address that is routed to it."""

NAMES_OF_HERE = ("localhost", "local", "internal", "home.arpa", "localdomain")
"""Names, or ends of names, that mean this machine or its own network."""


def may_be_called(address: str, *, loopback: bool) -> bool:
    """Whether a receiver may be at a numeric address: on the public internet. loopback: or on this machine."""
    try:
        found = _routed_to(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return (found.is_global and not found.is_multicast) or (loopback and found.is_loopback)


def _routed_to(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where packets to an address end: an IPv4 address may be inside one of version 6."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in TRANSLATED):
        return IPv4Address(address.packed[-4:])
    tunnelled = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or tunnelled or address


def read_url(value: str, *, loopback: bool = False) -> SplitResult:
    """The parts of an endpoint's URL. loopback: receivers on this machine are allowed, which have no certificate.

    Raises ValueError, which says what is wrong, for what no receiver of ours can have. A name is looked up only when
    it is called; what it means may change.
    """
    if len(value) > LONGEST_URL or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"must be a URL of at most {LONGEST_URL} printable ASCII characters, without spaces")
    host, parts = _host(value), urlsplit(value)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise ValueError("must begin with https://")
    if not host or "\\" in value:
        raise ValueError("must name a host")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ValueError("must have no user name and no password")
    if parts.fragment:
        raise ValueError("must have no fragment")
    if not _may_be_named(host, loopback=loopback):
        raise ValueError("must be reachable on the public internet")
    return parts


def port_of(parts: SplitResult) -> int:
    """The port of a URL that was read."""
    return parts.port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT)


def _host(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    return "" if port == 0 else parts.hostname or ""


def _may_be_named(host: str, *, loopback: bool) -> bool:
    """Whether a host may be public. A number that isn't a whole address is one that some resolvers take for it."""
    try:
        ip_address(host)
    except ValueError:
        name = host.rstrip(".").casefold()
        ends_here = any(name == here or name.endswith(f".{here}") for here in NAMES_OF_HERE)
        top = name.rpartition(".")[2]
        numeric = not any(sign.isalpha() for sign in top) or top.startswith("0x")
        return (not ends_here or loopback) and not numeric
    return may_be_called(host, loopback=loopback)
