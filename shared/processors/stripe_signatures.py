"""Whether Stripe sent a webhook: the SDK's own verification, within bounds of time that it doesn't have."""

import re
from datetime import datetime

from shared.processors.secret_values import SecretValues

MOST_STRIPE_SKEW = 300
"""Seconds by which the clocks may differ, either way."""

_STAMP = re.compile(r"(?:^|,)\s*t=(\d{1,12})(?=,|$)", re.ASCII)


class UnsignedEventError(Exception):
    """A webhook that Stripe didn't sign for this organization, or not recently."""


def check_stripe_signature(header: str, body: bytes, secrets: SecretValues, name: str, clock: datetime) -> None:
    """Raise UnsignedEventError unless a secret that counts signed this body within MOST_STRIPE_SKEW of the real clock.

    The SDK refuses what is too old, not what comes from the future. Raises SecretUnreadableError too.
    """
    stamps = _STAMP.findall(header)
    if len(stamps) != 1 or abs(clock.timestamp() - int(stamps[0])) > MOST_STRIPE_SKEW:
        raise UnsignedEventError
    if any(_signed(header, body, secret) for secret in secrets.read(name).all):
        return
    renewed = secrets.renewed(name)
    if renewed is None or not any(_signed(header, body, secret) for secret in renewed.all):
        raise UnsignedEventError


def _signed(header: str, body: bytes, secret: str) -> bool:
    import stripe  # noqa: PLC0415 - only the requests that need it pay for the SDK

    try:
        stripe.WebhookSignature.verify_header(body, header, secret, None)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True
