"""Whether an external payment site sent a webhook: the signature of the Standard Webhooks specification."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

MOST_SITE_SKEW = 300
"""Seconds by which the clocks may differ, either way."""

SECRET_PREFIX, SIGNATURE_PREFIX = "whsec_", "v1,"


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
    given = [one.removeprefix(SIGNATURE_PREFIX).encode() for one in signatures.split() if one[:3] == SIGNATURE_PREFIX]
    known = [_signature(secret, f"{message_id}.{stamp}.".encode() + body) for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in given for other in known if other):
        raise UnsignedMessageError


def _signature(secret: str, content: bytes) -> bytes:
    """The signature in base64; empty: the secret is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return b""
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)) if key else b""
