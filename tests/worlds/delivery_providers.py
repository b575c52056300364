"""SQS, SES, SNS and S3 in memory: what they take, what they answer, and what they tell afterwards."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from io import BytesIO
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from shared.contracts.email_tags import NOTICE_TAG
from shared.contracts.messages import ClosePrintBatch, NoticeMessage, SampleMessage, read_channel_message
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.vocabulary.words import Channel
from tests.worlds.delivery_actors import Stage
from tests.worlds.memory_table import refusal

MOST_RECEIVES = 5
"""How often a message is received before it goes to the dead letters, as in template.yaml."""


def read_asked(body: str) -> NoticeMessage | ClosePrintBatch:
    """What a channel is asked for here, where nobody sends test messages."""
    message = read_channel_message(body, batches=True)
    assert not isinstance(message, SampleMessage)
    return message


@dataclass(eq=False)
class Message:
    """One message of a channel's queue. A standard queue may bring it again even when it was deleted."""

    channel: Channel
    body: NoticeMessage | ClosePrintBatch
    receives: int = 0
    deleted: bool = False

    @property
    def dead(self) -> bool:
        return not self.deleted and self.receives >= MOST_RECEIVES


@dataclass
class Queues:
    """The channels' queues, as SQS's client; a channel's URL is its name."""

    stage: Stage
    messages: list[Message] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("send_message_batch")

        def send() -> Any:
            self.messages += [Message(Channel(QueueUrl), read_asked(entry["MessageBody"])) for entry in Entries]
            return {"Successful": Entries}

        return self.stage.effect(send)

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("send_message")
        return self.stage.effect(lambda: self.messages.append(Message(Channel(QueueUrl), read_asked(MessageBody))))

    def waiting(self) -> list[Message]:
        return [message for message in self.messages if not message.deleted and not message.dead]


class Mood(Enum):
    """How a provider takes the messages it is given."""

    ACCEPTS = "accepts"
    ACCEPTS_SILENTLY = "accepts, and no answer comes"
    FAILS_SILENTLY = "doesn't have it, and no answer comes"
    SERVER_ERROR = "doesn't have it, and answers as if it might"
    BUSY = "asks to go slower"
    PAUSED = "sends nothing for this account"
    UNREACHABLE = "can't be reached"
    REFUSES = "refuses the message"
    BAD_ADDRESS = "can't send to this address"


CODES = {
    Mood.BUSY: {Channel.EMAIL: "TooManyRequestsException", Channel.SMS: "Throttled", Channel.PRINT: "SlowDown"},
    Mood.PAUSED: {
        Channel.EMAIL: "SendingPausedException",
        Channel.SMS: "AuthorizationError",
        Channel.PRINT: "NoSuchBucket",
    },
    Mood.REFUSES: dict.fromkeys(Channel, "MessageRejected"),
    Mood.BAD_ADDRESS: {Channel.EMAIL: "BadRequestException", Channel.SMS: "OptedOut", Channel.PRINT: "MessageRejected"},
}

EMAIL_EVENTS = {
    DeliveryOutcome.ACCEPTED: "Send",
    DeliveryOutcome.DELIVERED: "Delivery",
    DeliveryOutcome.BOUNCED: "Bounce",
    DeliveryOutcome.BOUNCED_FOR_NOW: "Bounce",
    DeliveryOutcome.COMPLAINED: "Complaint",
    DeliveryOutcome.REJECTED: "Reject",
}
TEXT_EVENTS = {
    DeliveryOutcome.ACCEPTED: "TEXT_SENT",
    DeliveryOutcome.DELIVERED: "TEXT_DELIVERED",
    DeliveryOutcome.BOUNCED: "TEXT_INVALID",
    DeliveryOutcome.BOUNCED_FOR_NOW: "TEXT_UNREACHABLE",
    DeliveryOutcome.REJECTED: "TEXT_SPAM",
}


@dataclass(eq=False)
class Acceptance:
    """A message that a provider has taken, and what it will tell of it: `events`, each until it is heard.

    about: what the provider knows of it: an email's tags, a text's number.
    """

    notice_id: str
    account_id: str
    channel: Channel
    message_id: str
    at: datetime
    about: Any = None
    events: list[DeliveryOutcome] = field(default_factory=list)
    heard: list[DeliveryOutcome] = field(default_factory=list)

    def told(self, outcome: DeliveryOutcome) -> str:
        """An event as the provider words it; a text's recipient complains by texting STOP."""
        if self.channel is Channel.EMAIL:
            mail = {"messageId": self.message_id, "tags": {name: [value] for name, value in self.about.items()}}
            kind = "Permanent" if outcome is DeliveryOutcome.BOUNCED else "Transient"
            bounce = {"bounce": {"bounceType": kind}} if EMAIL_EVENTS[outcome] == "Bounce" else {}
            return json.dumps({"eventType": EMAIL_EVENTS[outcome], "mail": mail, **bounce})
        if outcome is DeliveryOutcome.COMPLAINED:
            stop = {"messageBody": "Stop.", "inboundMessageId": f"in-{self.message_id}"}
            return json.dumps({"originationNumber": self.about, **stop})
        return json.dumps(
            {
                "eventType": TEXT_EVENTS[outcome],
                "destinationPhoneNumber": self.about,
                "messageId": self.message_id,
                "messageRequestTimestamp": int(self.at.timestamp() * 1000),
            }
        )


@dataclass
class Providers:
    """SES v2, SNS and S3, as their clients.

    clock: what time it is. notice: of which notice the call of this moment is. reached: told of each call that reached
    a provider. accepted: told of each message before it counts as taken.
    """

    stage: Stage
    clock: Callable[[], datetime]
    notice: Callable[[], tuple[str, str]]
    reached: Callable[[str], None]
    accepted: Callable[[Acceptance], None]
    moods: dict[Channel, Mood] = field(default_factory=lambda: dict.fromkeys(Channel, Mood.ACCEPTS))
    outcomes: dict[Channel, tuple[DeliveryOutcome, ...]] = field(
        default_factory=lambda: dict.fromkeys(Channel, (DeliveryOutcome.DELIVERED,))
    )
    calls: list[Channel] = field(default_factory=list)
    taken: list[Acceptance] = field(default_factory=list)
    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def to_tell(self) -> list[Acceptance]:
        """The messages of which something is still to be told."""
        return [acceptance for acceptance in self.taken if acceptance.events]

    # --- SES v2 and SNS ------------------------------------------------------------------------------------------

    def get_account(self) -> Any:
        self.stage.at("get_account")
        paused = self.moods[Channel.EMAIL] is Mood.PAUSED
        quota = {"Max24HourSend": 50_000.0, "SentLast24Hours": 0.0, "MaxSendRate": 14.0}
        return {"SendingEnabled": not paused, "SendQuota": quota}

    def send_email(self, **request: Any) -> Any:
        self.stage.at("send_email")
        tags = {tag["Name"]: tag["Value"] for tag in request["EmailTags"]}
        assert tags[NOTICE_TAG] == self.notice()[1]
        return self._take(Channel.EMAIL, tags)

    def publish(self, **request: Any) -> Any:
        self.stage.at("publish")
        return self._take(Channel.SMS, request["PhoneNumber"])

    def _take(self, channel: Channel, about: Any) -> Any:
        self.reached(self.notice()[1])

        def take() -> Any:
            message_id = f"m-{len(self.taken) + 1}"
            self._accept(channel, message_id, about)
            return {"MessageId": message_id}

        return self._in_its_mood(channel, take)

    def _accept(self, channel: Channel, message_id: str, about: Any = None) -> None:
        account_id, notice_id = self.notice()
        acceptance = Acceptance(notice_id, account_id, channel, message_id, self.clock(), about)
        self.accepted(acceptance)
        if channel is not Channel.PRINT:
            acceptance.events += [DeliveryOutcome.ACCEPTED, *self.outcomes[channel]]
        self.taken.append(acceptance)

    def _in_its_mood(self, channel: Channel, take: Callable[[], Any]) -> Any:
        mood = self.moods[channel]
        self.calls.append(channel)
        if self.stage.actor:
            self.stage.actor.answered = channel.electronic
        if mood in CODES:
            raise refusal(CODES[mood][channel], "Send", ResponseMetadata={"HTTPStatusCode": 400})
        if mood is Mood.UNREACHABLE:
            raise EndpointConnectionError(endpoint_url="https://nowhere.example")
        if mood is Mood.SERVER_ERROR:
            raise refusal("InternalServiceError", "Send", ResponseMetadata={"HTTPStatusCode": 500})
        if mood is Mood.FAILS_SILENTLY:
            raise ReadTimeoutError(endpoint_url="https://nowhere.example")
        answer = take()
        if mood is Mood.ACCEPTS_SILENTLY or self.stage.answer_is_lost:
            raise ReadTimeoutError(endpoint_url="https://nowhere.example")
        return answer

    # --- S3 ------------------------------------------------------------------------------------------------------

    def put_object(self, *, Key: str, Body: bytes, **more: Any) -> Any:  # noqa: N803 - the service's own spelling
        """A letter counts as taken when its job is there."""
        self.stage.at(f"put_object {Key.rpartition('.')[2]}")
        assert more["IfNoneMatch"] == "*"

        def put() -> Any:
            if Key in self.objects:
                raise refusal("PreconditionFailed", "PutObject", ResponseMetadata={"HTTPStatusCode": 412})
            if Key.endswith(".json"):
                self._accept(Channel.PRINT, Key)
            self.objects[Key] = Body, more["Metadata"]
            return {}

        return self._in_its_mood(Channel.PRINT, lambda: self.stage.effect(put))

    def head_object(self, *, Key: str, **_request: Any) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("head_object")
        return {"Metadata": self.objects[Key][1]}

    def get_object(self, *, Key: str, **_request: Any) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("get_object")
        return {"Body": BytesIO(self.objects[Key][0])}
