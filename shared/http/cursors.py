"""Pages of a list: `?limit=&cursor=`, answered with `nextCursor`.

A cursor says where in its own list to go on; the list itself always comes from the caller's credential, so a forged
cursor could show nothing that its forger may not see. The digest in it is there to tell a damaged one from a good one.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from shared.http.problems import InputError, ProblemError

DEFAULT_LIMIT = 50
MOST = 100
_DIGEST_BYTES = 12

type Position = tuple[str, ...]
"""Where a list goes on: the sort key, or keys, of the last item shown."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list a caller asks for: at most `limit` items after a position; None: from the start."""

    limit: int = DEFAULT_LIMIT
    after: Position | None = None


def page_request(parameters: Mapping[str, str], list_name: str) -> PageRequest:
    """Read `limit` and `cursor`; raises a 400 problem for a limit outside 1 to 100 or a cursor not of this list."""
    limit = parameters.get("limit", str(DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise _wrong("limit", f"must be a whole number from 1 to {MOST}")
    cursor = parameters.get("cursor")
    return PageRequest(limit=int(limit), after=None if cursor is None else _position(cursor, list_name))


def cursor_after(position: Position | None, list_name: str) -> str | None:
    """The cursor that goes on after a position of this list; None where the list has ended."""
    if position is None:
        return None
    return _written(json.dumps(position, ensure_ascii=False).encode(), list_name)


def _written(payload: bytes, list_name: str) -> str:
    return base64.urlsafe_b64encode(_digest(payload, list_name) + payload).rstrip(b"=").decode()


def _position(cursor: str, list_name: str) -> Position:
    try:
        payload = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)[_DIGEST_BYTES:]
    except (ValueError, binascii.Error):
        payload = b""
    # Written again and compared whole, because base64 has several spellings of the same bytes.
    if not payload or cursor != _written(payload, list_name):
        raise _wrong("cursor", "must be a nextCursor of this list, unchanged")
    return tuple(json.loads(payload))


def _digest(payload: bytes, list_name: str) -> bytes:
    return hashlib.sha256(list_name.encode() + b"\n" + payload).digest()[:_DIGEST_BYTES]


def _wrong(parameter: str, detail: str) -> ProblemError:
    what = f"The query parameter {parameter} {detail}."
    return ProblemError(HTTPStatus.BAD_REQUEST, what, [InputError(pointer=f"?{parameter}", detail=detail)])
