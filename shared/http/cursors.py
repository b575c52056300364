"""Pages of a list: `?limit=&cursor=` in, `{"items": [...], "nextCursor": ...}` out.

A cursor says after which position the next page begins. It is signed with a key of the stack, together with the list
that it was given for (the caller's partner, the route, its filters), so that a damaged, edited, borrowed or made-up one
is recognised before anything of it is used.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from http import HTTPStatus

from shared.http.problems import ProblemError
from shared.storage.queue_lists import Position

DEFAULT_LIMIT = 50
MOST_ITEMS = 100
SIGNATURE_BYTES = 16


def read_limit(limit: str | None) -> int:
    """How many items a page may have. Raises a 400 problem unless it is a whole number from 1 to MOST_ITEMS."""
    if limit is None:
        return DEFAULT_LIMIT
    if limit.isascii() and limit.isdecimal() and len(limit) <= len(str(MOST_ITEMS)) and 1 <= int(limit) <= MOST_ITEMS:
        return int(limit)
    raise ProblemError(HTTPStatus.BAD_REQUEST, f"limit must be a whole number from 1 to {MOST_ITEMS}.")


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of a stack, signed with its key."""

    key: bytes

    def write(self, position: Position, *list_name: str) -> str:
        """A cursor for the page after `position` in the list that `list_name` names: partner, route, filters."""
        raw = json.dumps(position).encode()
        return base64.urlsafe_b64encode(self._signature(raw, list_name) + raw).decode().rstrip("=")

    def read(self, cursor: str, *list_name: str) -> Position:
        """The position that a cursor of this list stands for. Raises a 400 problem for any other."""
        try:
            decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _not_ours() from None
        signature, raw = decoded[:SIGNATURE_BYTES], decoded[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(raw, list_name)):
            raise _not_ours()
        position: Position = tuple(json.loads(raw))
        if self.write(position, *list_name) != cursor:
            # Base64 has several spellings of the same bytes; only ours is taken.
            raise _not_ours()
        return position

    def _signature(self, raw: bytes, list_name: tuple[str, ...]) -> bytes:
        return hmac.digest(self.key, json.dumps(list_name).encode() + b"\n" + raw, "sha256")[:SIGNATURE_BYTES]


def _not_ours() -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "This isn't a cursor of this list.")
