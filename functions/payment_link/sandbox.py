"""The simulated processor of test stacks: the way to its page, and its signed event about the outcome."""

import hashlib
import hmac
import http.client
import json
import re
import time
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt
from pydantic.alias_generators import to_camel

from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.money import MOST_CENTS

SIGNATURE_HEADER = "Dunlin-Sandbox-Signature"
MOST_SKEW = 300
"""Seconds by which the clocks may differ, either way."""

EXPIRY_SECONDS = 2.0
"""How long a patient who begins a new checkout waits for the processor to end the one before."""

_SIGNATURE = re.compile(r"t=(?P<at>\d{1,12}),v1=(?P<mac>[0-9a-f]{64})")


class BadSignatureError(Exception):
    """A webhook that the processor didn't sign, or not recently."""


class SandboxEvent(BaseModel):
    """An event of the simulated processor. `reference` is empty for what didn't begin here; `amount` is in cents."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore", defer_build=True)

    type: Literal["checkout.completed", "checkout.declined"]
    event_id: str
    session_id: str
    reference: str = ""
    amount: Annotated[StrictInt, Field(gt=0, le=MOST_CENTS)]
    currency: Literal["usd"]
    occurred_at: AwareDatetime


def check_signature(header: str, body: bytes, key: str, clock: datetime) -> None:
    """Raise BadSignatureError unless the key signed this body within MOST_SKEW seconds of the real clock."""
    match = _SIGNATURE.fullmatch(header)
    if not key or match is None or abs(clock.timestamp() - int(match["at"])) > MOST_SKEW:
        raise BadSignatureError
    if not hmac.compare_digest(signature(body, key, int(match["at"])), header):
        raise BadSignatureError


def signature(body: bytes, key: str, at: int) -> str:
    """The header that signs a body at a time in Unix seconds."""
    mac = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def expire(processor: str, session: str, key: str) -> bool:
    """End a checkout at the processor, so that nobody pays there any more. False: it couldn't be told.

    The patient's way to pay doesn't hang on that: what is paid twice all the same is posted twice, and told.
    """
    parts = urlsplit(processor)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    body = json.dumps({"session": session}).encode()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(body, key, int(time.time()))}
    connection = kind(parts.hostname or "", parts.port, timeout=EXPIRY_SECONDS)
    try:
        connection.request("POST", f"{parts.path}/expire", body=body, headers=headers)
        return HTTPStatus(connection.getresponse().status).is_success
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def checkout_url(
    processor: str, organization: Organization, checkout: Checkout, webhook: str, back: str, as_of: str
) -> str:
    """Where the browser goes to pay: ids, the amount and the practice's name, nothing about the patient.

    `webhook` gets the outcome, and the browser is sent to `back`. `as_of`: the simulated time, if any.
    """
    query = {
        "session": checkout.reference,
        "org": checkout.org_id,
        "amount": str(checkout.amount),
        "currency": "usd",
        "reference": checkout.reference,
        "practice": organization.name,
        "webhook": webhook,
        "return": back,
    }
    return f"{processor}/checkout?{urlencode(query | ({'asOf': as_of} if as_of else {}))}"
