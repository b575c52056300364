"""How webhooks are signed, theirs to us and ours to partners: the Standard Webhooks specification, version 1."""

import hmac
from base64 import b64encode
from hashlib import sha256

SECRET_PREFIX, SIGNATURE_PREFIX = "whsec_", "v1,"
"""What a secret, and a signature of one, begin with where they are written."""


def signature(secret: bytes, message_id: str, stamp: str, body: bytes) -> str:
    """The signature of a message as its header has it. stamp: the second at which it was sent, as digits."""
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    return SIGNATURE_PREFIX + b64encode(hmac.digest(secret, signed, sha256)).decode()
