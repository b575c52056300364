"""Pages of a list: `?limit=&cursor=` in, `{"items": [...], "nextCursor": ...}` out.

A cursor says after which position the next page begins. It carries a checksum over that position and over the list it
was given for (the caller's partner, the route, its filters), so that a damaged, edited or borrowed one is recognised.
It needs no secret: every list is read under the caller's own partition, so that no position, however it was come by,
leads to anybody else's items.
"""

import base64
import binascii
import hashlib
import json
from http import HTTPStatus

from shared.http.problems import ProblemError
from shared.storage.queue_lists import Position

DEFAULT_LIMIT = 50
MOST_ITEMS = 100
CHECKSUM_BYTES = 12


def read_limit(limit: str | None) -> int:
    """How many items a page may have. Raises a 400 problem unless it is a whole number from 1 to MOST_ITEMS."""
    if limit is None:
        return DEFAULT_LIMIT
    if limit.isascii() and limit.isdecimal() and len(limit) <= len(str(MOST_ITEMS)) and 1 <= int(limit) <= MOST_ITEMS:
        return int(limit)
    raise ProblemError(HTTPStatus.BAD_REQUEST, f"limit must be a whole number from 1 to {MOST_ITEMS}.")


def write_cursor(position: Position, *list_name: str) -> str:
    """A cursor for the page after `position` in the list that `list_name` names: partner, route, filters."""
    raw = json.dumps(position).encode()
    return base64.urlsafe_b64encode(_checksum(raw, list_name) + raw).decode().rstrip("=")


def read_cursor(cursor: str | None, *list_name: str) -> Position | None:
    """The position that a cursor of this list stands for; None: the first page. Raises a 400 problem for any other."""
    if cursor is None:
        return None
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    checksum, raw = decoded[:CHECKSUM_BYTES], decoded[CHECKSUM_BYTES:]
    if checksum != _checksum(raw, list_name):
        raise _not_ours()
    position: Position = tuple(json.loads(raw))
    if write_cursor(position, *list_name) != cursor:
        # Base64 has several spellings of the same bytes; only ours is taken.
        raise _not_ours()
    return position


def _checksum(raw: bytes, list_name: tuple[str, ...]) -> bytes:
    return hashlib.sha256(json.dumps(list_name).encode() + b"\n" + raw).digest()[:CHECKSUM_BYTES]


def _not_ours() -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "This isn't a cursor of this list.")
