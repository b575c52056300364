"""What the text provider's words for the end of a text mean: one table for each of its two forms.

A word that says that the number can't be texted settles the contact; one about the message, the moment or our account
doesn't. An unknown word never does.
"""

from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.text_events import DeliveryRecord, TextEvent
from shared.domain.delivery.settlement import DeliveryOutcome

SUCCESSFUL = "TEXT_SUCCESSFUL"

OUTCOMES_OF_EVENTS = {
    "TEXT_QUEUED": DeliveryOutcome.ACCEPTED,
    "TEXT_PENDING": DeliveryOutcome.ACCEPTED,
    "TEXT_SENT": DeliveryOutcome.ACCEPTED,
    SUCCESSFUL: DeliveryOutcome.ACCEPTED,
    # After 72 hours without news: the provider had it, and nobody knows more.
    "TEXT_UNKNOWN": DeliveryOutcome.ACCEPTED,
    "TEXT_DELIVERED": DeliveryOutcome.DELIVERED,
    "TEXT_INVALID": DeliveryOutcome.BOUNCED,
    "TEXT_BLOCKED": DeliveryOutcome.BOUNCED,
    "TEXT_UNREACHABLE": DeliveryOutcome.BOUNCED_FOR_NOW,
    "TEXT_CARRIER_UNREACHABLE": DeliveryOutcome.BOUNCED_FOR_NOW,
    "TEXT_TTL_EXPIRED": DeliveryOutcome.BOUNCED_FOR_NOW,
    # About the message or our sending, not about the number.
    "TEXT_SPAM": DeliveryOutcome.REJECTED,
    "TEXT_CARRIER_BLOCKED": DeliveryOutcome.REJECTED,
    "TEXT_INVALID_MESSAGE": DeliveryOutcome.REJECTED,
    "TEXT_PROTECT_BLOCKED": DeliveryOutcome.REJECTED,
}
"""https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html"""

FAILURES = {
    "invalid phone number": DeliveryOutcome.BOUNCED,
    "destination is on a blocked list": DeliveryOutcome.BOUNCED,
    "phone has blocked sms": DeliveryOutcome.BOUNCED,
    "phone is on a blocked list": DeliveryOutcome.BOUNCED,
    "phone number is opted out": DeliveryOutcome.BOUNCED,
    "blocked as spam by phone carrier": DeliveryOutcome.REJECTED,
    "message body is invalid": DeliveryOutcome.REJECTED,
    "phone carrier has blocked this message": DeliveryOutcome.REJECTED,
    "this delivery would exceed max price": DeliveryOutcome.REJECTED,
    # The account's spending limit of the month: SNS takes texts and drops them.
    "no quota left for account": DeliveryOutcome.DROPPED,
}
"""Why Amazon SNS couldn't deliver, in lower case; any other reason may pass.

https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """What became of a text. asked_at: when the provider was asked to send it; None: it doesn't say."""

    number: str = field(repr=False)
    message_id: str
    outcome: DeliveryOutcome
    asked_at: datetime | None


def result_of_event(event: TextEvent) -> TextResult | None:
    """What an event says; None: nothing that we know of."""
    outcome = OUTCOMES_OF_EVENTS.get(event.event_type)
    if event.event_type == SUCCESSFUL and event.is_final:
        # In many countries carriers report no more than that they accepted it.
        outcome = DeliveryOutcome.DELIVERED
    if outcome is None:
        return None
    return TextResult(
        number=event.destination_phone_number, message_id=event.message_id, outcome=outcome, asked_at=event.asked_at
    )


def result_of_record(record: DeliveryRecord) -> TextResult:
    """What a delivery status record says."""
    reason = record.delivery.provider_response.strip().rstrip(".").lower()
    failure = FAILURES.get(reason, DeliveryOutcome.BOUNCED_FOR_NOW)
    return TextResult(
        number=record.delivery.destination,
        message_id=record.notification.message_id,
        outcome=DeliveryOutcome.DELIVERED if record.status == "SUCCESS" else failure,
        asked_at=record.asked_at,
    )
