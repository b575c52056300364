"""How often bill codes may be tried: by one address, and one code by all (docs/rules.md#tries-of-bill-codes).

Whoever has an IPv6 network has all of its addresses, so they count as one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

WINDOW = timedelta(minutes=5)
TRIES_OF_ADDRESS = 30
"""Within a window. A family behind one address types a few; somebody who guesses needs billions."""
TRIES_OF_CODE = 20
"""Within a window, by whomever."""
HOME_NETWORK_BITS = 64
"""What a provider gives a household at least (RFC 6177)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTry:
    """What a try counts for: `what` of this value, at most `most` times in a window."""

    what: str
    value: str
    most: int


def counted_tries(address: str, code: str) -> tuple[CountedTry, CountedTry]:
    """What a try of a normalized code from an address counts for. Of an address refused, the code isn't counted."""
    return (
        CountedTry(what="address", value=network_of(address), most=TRIES_OF_ADDRESS),
        CountedTry(what="code", value=code, most=TRIES_OF_CODE),
    )


def network_of(address: str) -> str:
    """The address, or for IPv6 its home network; what isn't an address stands for itself."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return str(read)
    if read.ipv4_mapped:
        return str(read.ipv4_mapped)
    return str(ip_network((int(read), HOME_NETWORK_BITS), strict=False))


def window_end(now: datetime) -> datetime:
    """When the window ends that an instant is in; windows begin at whole multiples of five minutes."""
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, UTC)
