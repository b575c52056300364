"""What the text provider's words for the end of a text mean: one table for each of its two forms.

A word that says that the number can't be texted settles the contact; one about the message, the moment or our account
doesn't. An unknown word never does.
"""

from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.text_events import DeliveryRecord, TextEvent
from shared.domain.settlement import Outcome

SUCCESSFUL = "TEXT_SUCCESSFUL"

EVENTS = {
    "TEXT_QUEUED": Outcome.ACCEPTED,
    "TEXT_PENDING": Outcome.ACCEPTED,
    "TEXT_SENT": Outcome.ACCEPTED,
    SUCCESSFUL: Outcome.ACCEPTED,
    # After 72 hours without news: the provider had it, and nobody knows more.
    "TEXT_UNKNOWN": Outcome.ACCEPTED,
    "TEXT_DELIVERED": Outcome.DELIVERED,
    "TEXT_INVALID": Outcome.BOUNCED,
    "TEXT_BLOCKED": Outcome.BOUNCED,
    "TEXT_UNREACHABLE": Outcome.BOUNCED_FOR_NOW,
    "TEXT_CARRIER_UNREACHABLE": Outcome.BOUNCED_FOR_NOW,
    "TEXT_TTL_EXPIRED": Outcome.BOUNCED_FOR_NOW,
    # About the message or our sending, not about the number.
    "TEXT_SPAM": Outcome.REJECTED,
    "TEXT_CARRIER_BLOCKED": Outcome.REJECTED,
    "TEXT_INVALID_MESSAGE": Outcome.REJECTED,
    "TEXT_PROTECT_BLOCKED": Outcome.REJECTED,
}
"""https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html"""

FAILURES = {
    "invalid phone number": Outcome.BOUNCED,
    "destination is on a blocked list": Outcome.BOUNCED,
    "phone has blocked sms": Outcome.BOUNCED,
    "phone is on a blocked list": Outcome.BOUNCED,
    "phone number is opted out": Outcome.BOUNCED,
    "blocked as spam by phone carrier": Outcome.REJECTED,
    "message body is invalid": Outcome.REJECTED,
    "phone carrier has blocked this message": Outcome.REJECTED,
    "this delivery would exceed max price": Outcome.REJECTED,
    # The account's spending limit of the month: SNS takes texts and drops them.
    "no quota left for account": Outcome.DROPPED,
}
"""Why Amazon SNS couldn't deliver, in lower case; any other reason may pass.

https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """What became of a text. asked_at: when the provider was asked to send it; None: it doesn't say."""

    number: str = field(repr=False)
    message_id: str
    outcome: Outcome
    asked_at: datetime | None


def result_of_event(event: TextEvent) -> TextResult | None:
    """What an event says; None: nothing that we know of."""
    outcome = EVENTS.get(event.event_type)
    if event.event_type == SUCCESSFUL and event.is_final:
        # In many countries carriers tell no more than that they took it.
        outcome = Outcome.DELIVERED
    if outcome is None:
        return None
    return TextResult(
        number=event.destination_phone_number, message_id=event.message_id, outcome=outcome, asked_at=event.asked_at
    )


def result_of_record(record: DeliveryRecord) -> TextResult:
    """What a delivery status record says."""
    reason = record.delivery.provider_response.strip().rstrip(".").lower()
    failure = FAILURES.get(reason, Outcome.BOUNCED_FOR_NOW)
    return TextResult(
        number=record.delivery.destination,
        message_id=record.notification.message_id,
        outcome=Outcome.DELIVERED if record.status == "SUCCESS" else failure,
        asked_at=record.asked_at,
    )
