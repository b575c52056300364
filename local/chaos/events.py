"""What the providers say of a message that they accepted, as their topics bring it to delivery_events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.domain.vocabulary.words import Channel

if TYPE_CHECKING:
    from local.chaos.providers import Acceptance

EMAIL_TOPIC = "arn:aws:sns:us-east-1:000000000000:email-events"
TEXT_TOPIC = "arn:aws:sns:us-east-1:000000000000:text-events"

WITH_EVENTS = frozenset({Channel.EMAIL, Channel.SMS})
"""The channels whose providers say what became of a message."""


def delivered(channel: Channel, acceptance: Acceptance) -> dict[str, Any]:
    """The event that a message was delivered."""
    if channel is Channel.EMAIL:
        tags = {name: [value] for name, value in acceptance.tags.items()}
        mail = {"messageId": acceptance.message_id, "tags": tags}
        return _brought_by(EMAIL_TOPIC, {"eventType": "Delivery", "mail": mail, "delivery": {}})
    event = {
        "eventType": "TEXT_DELIVERED",
        "isFinal": True,
        "destinationPhoneNumber": acceptance.to,
        "messageId": acceptance.message_id,
        "messageStatus": "DELIVERED",
    }
    return _brought_by(TEXT_TOPIC, event)


def _brought_by(topic: str, message: dict[str, Any]) -> dict[str, Any]:
    told = {"Type": "Notification", "TopicArn": topic, "Message": json.dumps(message)}
    return {"Records": [{"EventSource": "aws:sns", "Sns": told}]}
