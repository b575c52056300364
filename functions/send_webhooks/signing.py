"""A delivery's request, by the Standard Webhooks spec: its body, and headers that say who sent it and when."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from shared.contracts.standard_webhooks import signature
from shared.domain.records.partner_event import PartnerEvent


def body_of(event: PartnerEvent) -> bytes:
    """What is told of an event: what happened, when, and ids."""
    at = event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": event.type, "timestamp": at, "data": dict(event.ids)}
    return json.dumps(told, separators=(",", ":")).encode()


def headers_of(event: PartnerEvent, body: bytes, secrets: Iterable[bytes], sent_at: datetime) -> dict[str, str]:
    """The headers of one attempt, signed with each secret that the receiver may go by.

    sent_at: the clock's time, also where time is simulated: receivers refuse what was signed long before or after it.
    """
    timestamp = str(int(sent_at.timestamp()))
    signatures = (signature(secret, event.event_id, timestamp, body) for secret in secrets)
    return {
        "content-type": "application/json",
        "user-agent": "Dunlin-Webhooks/1",
        "webhook-id": event.event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
