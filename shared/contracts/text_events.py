"""What the text provider sends: delivery reports on texts, in either of two forms, and what a recipient texted.

Only what we act on is read. Phone numbers and bodies are kept out of representations, so that no log can show them.
"""

import gzip
import zlib
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

LOG_TIME = "%Y-%m-%d %H:%M:%S.%f"

LATEST = 10**14
"""Milliseconds since 1970 beyond which no instant of ours lies."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)


def _e164(number: str) -> str:
    return f"+{number.strip().removeprefix('+')}"


Number = Annotated[str, AfterValidator(_e164), Field(repr=False)]
"""A phone number in E.164."""


class TextEvent(_Part):
    """An event of AWS End User Messaging SMS, by its event destination: an SNS topic.

    https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
    """

    event_type: str
    is_final: bool = False
    destination_phone_number: Number
    message_id: str
    message_request_timestamp: int | None = Field(default=None, ge=0, le=LATEST, description="Milliseconds since 1970.")

    @property
    def asked_at(self) -> datetime | None:
        """When the provider was asked to send; None: it doesn't say."""
        if self.message_request_timestamp is None:
            return None
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.message_request_timestamp)


class InboundText(_Part):
    """A text that came to our two-way number.

    https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
    """

    origination_number: Number
    message_body: str = Field(repr=False)
    inbound_message_id: str = Field(min_length=1, max_length=200)


class _Notification(_Part):
    message_id: str
    timestamp: str


class _Delivery(_Part):
    destination: Number
    provider_response: str = ""


class DeliveryRecord(_Part):
    """One of Amazon SNS's own delivery status records of direct texts, in CloudWatch Logs.

    https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
    """

    notification: _Notification
    delivery: _Delivery
    status: Literal["SUCCESS", "FAILURE"]

    @property
    def asked_at(self) -> datetime | None:
        """When the provider was asked to send; None: it doesn't say so legibly."""
        try:
            return datetime.strptime(self.notification.timestamp, LOG_TIME).replace(tzinfo=UTC)
        except ValueError:
            return None


class _LogEvent(_Part):
    message: str = Field(repr=False)


class LogBatch(_Part):
    """What a subscription of CloudWatch Logs brings; a control message holds nothing of ours."""

    message_type: str
    log_events: list[_LogEvent] = Field(default_factory=list)

    @property
    def records(self) -> list[str]:
        """The log lines, each a delivery status record."""
        return [event.message for event in self.log_events] if self.message_type == "DATA_MESSAGE" else []


TOPIC_MESSAGE: TypeAdapter[TextEvent | InboundText] = TypeAdapter(
    TextEvent | InboundText, config=ConfigDict(defer_build=True)
)
"""What the text topic brings: events and inbound texts, known by their fields."""


def topic_time(timestamp: str | None) -> datetime | None:
    """When a message came to its SNS topic; None: the topic doesn't say so legibly."""
    try:
        return datetime.fromisoformat(timestamp or "").astimezone(UTC)
    except ValueError:
        return None


def log_batch(data: str) -> LogBatch:
    """Read the `awslogs.data` of a subscription's event: JSON, gzipped, in base64. Raises ValueError if not."""
    try:
        raw = gzip.decompress(b64decode(data, validate=True))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("is no gzipped log batch") from error
    return LogBatch.model_validate_json(raw)
