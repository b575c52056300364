"""Whether an external payment site sent a webhook: the signature of the Standard Webhooks specification."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime

from shared.contracts.standard_webhooks import SECRET_PREFIX, SIGNATURE_PREFIX, signature

MOST_SITE_SKEW = 300
"""Seconds by which the clocks may differ, either way."""


class UnsignedMessageError(Exception):
    """A webhook that the site didn't sign for this organization, or not recently."""


def check_site_signature(
    message_id: str, stamp: str, signatures: str, body: bytes, *, secrets: Iterable[str], clock: datetime
) -> None:
    """Raise UnsignedMessageError unless a secret signed this id, time and body within MOST_SITE_SKEW of the clock.

    `signatures` may be several, of two secrets in a rotation for instance.
    """
    in_time = stamp.isascii() and stamp.isdigit() and abs(clock.timestamp() - int(stamp[:12])) <= MOST_SITE_SKEW
    if not message_id or not in_time:
        raise UnsignedMessageError
    given = [one.encode() for one in signatures.split() if one.startswith(SIGNATURE_PREFIX)]
    keys = [key for key in map(_key, secrets) if key]
    known = [signature(key, message_id, stamp, body).encode() for key in keys]
    if not any(hmac.compare_digest(one, other) for one in given for other in known):
        raise UnsignedMessageError


def _key(secret: str) -> bytes:
    """What a secret stands for; empty: it is none."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return b""
