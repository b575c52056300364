"""Notices that wait for the same thing are tried one after the other: when, their ids say, not chance."""

from datetime import timedelta
from hashlib import sha256

HASH_RANGE = 2**32


def spread(notice_id: str, over: timedelta) -> timedelta:
    """A notice's place in a stretch of time: from nothing up to `over`, always the same for the same notice."""
    place = int.from_bytes(sha256(notice_id.encode()).digest()[:4])
    return over * (place / HASH_RANGE)
