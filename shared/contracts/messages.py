"""Messages on the channel queues, and from function to function: ids only, no personal data.

A message may be read by an older version of the code than wrote it, and the other way round: fields that this version
doesn't know are passed over, a message of a kind that it doesn't know is refused, so that it stays in its queue
(docs/rules.md#newer-records).
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from shared.domain.vocabulary.words import Channel, Language, NotificationType


class NoticeMessage(BaseModel):
    """Asks a channel to send one notice. `as_of` is set in stacks with simulated time only."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    kind: Annotated[None, Field(exclude=True)] = None
    """It has none; a message that has one asks for something else, whatever else it holds."""
    org_id: str
    account_id: str
    notice_id: str
    as_of: datetime | None = None


class ClosePrintBatch(BaseModel):
    """Asks the print channel to close an organization's batch of letters. `as_of`: as above."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    kind: Literal["ClosePrintBatch"] = "ClosePrintBatch"
    org_id: str
    as_of: datetime | None = None


class WebhookMessage(BaseModel):
    """Asks for deliveries to one webhook endpoint. `as_of`: as above."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    partner_id: str
    endpoint_id: str
    delivery_ids: tuple[str, ...]
    as_of: datetime | None = None


class SampleMessage(BaseModel):
    """Asks a channel to send an organization's test contact a made-up message. `as_of`: as above."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    kind: Literal["SampleMessage"] = "SampleMessage"
    org_id: str
    sample_id: str
    channel: Channel
    notification_type: NotificationType
    language: Language
    as_of: datetime | None = None


class FileToTakeUp(BaseModel):
    """Asks ingest to go on with a statement file that isn't done."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    partner_id: str
    ingestion_id: str


type ChannelMessage = NoticeMessage | SampleMessage | ClosePrintBatch
"""A message on a channel's queue; only the print channel's is asked to close batches."""

_ANY: TypeAdapter[ChannelMessage] = TypeAdapter(
    NoticeMessage | SampleMessage | ClosePrintBatch, config=ConfigDict(defer_build=True)
)


def read_channel_message(body: str, *, batches: bool) -> ChannelMessage:
    """A message of a channel's queue; raises ValueError for anything else. batches: whether it may close batches."""
    message = _ANY.validate_json(body)
    if isinstance(message, ClosePrintBatch) and not batches:
        raise ValueError("this channel has no batches")
    return message
