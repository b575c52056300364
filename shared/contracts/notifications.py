"""Bodies of the notification queue of the partner API."""

from collections import Counter
from collections.abc import Container, Mapping
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.wire import Instant, NamedLine, WireModel, Word
from shared.domain.records.notice import Notice, StatusChange
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType

SendTo = Literal["guarantor", "patient", "billTo"]


class StatusChangeAnswer(WireModel):
    """One entry of a notification's history."""

    status: NoticeStatus
    at: Instant
    actor: str
    by: str | None = Field(description="The person whom the write named in `Dunlin-Actor`.")
    reason: str | None
    level: int
    template_id: str | None

    @classmethod
    def of(cls, change: StatusChange) -> "StatusChangeAnswer":
        """An entry as stored."""
        return cls(
            status=change.status,
            at=change.at,
            actor=change.actor,
            by=change.by or None,
            reason=change.reason or None,
            level=change.level,
            template_id=change.template_id or None,
        )


class NotificationAnswer(WireModel):
    """A notification with all that happened to it, oldest first."""

    notification_id: str
    account_id: str
    statement_ids: list[str]
    channel: Channel
    notification_type: NotificationType
    level: int = Field(description="The highest step among its bills; 0 where no step asked for it.")
    configuration_id: str | None = Field(description="The dunning configuration whose step asked for it.")
    status: NoticeStatus
    reason: str | None
    scheduled_for: Instant
    sent_at: Instant | None
    delivered_at: Instant | None
    template_id: str | None
    send_to: SendTo
    sent_to: str | None = Field(description="The address it went to, masked.")
    possible_duplicate: bool
    ingestion_ids: list[str] = Field(description="The files that its bills were last created or updated by.")
    status_history: list[StatusChangeAnswer]

    @classmethod
    def of(cls, notice: Notice) -> "NotificationAnswer":
        """A notice as stored."""
        history = [StatusChangeAnswer.of(change) for change in notice.status_history]
        return cls.model_validate({**_fields(notice), "status_history": history})


class NotificationsPage(WireModel):
    """A page of the queue, those scheduled last first."""

    items: list[NotificationAnswer]
    next_cursor: str | None


class NotificationCount(WireModel):
    """How many notifications have a status on a channel."""

    status: NoticeStatus
    channel: Channel
    count: int


class NotificationsSummary(WireModel):
    """The queue in numbers."""

    total: int
    attention: int = Field(description="How many need attention: the worklist, and those that are Unknown.")
    by_status: dict[NoticeStatus, int] = Field(examples=[{"Scheduled": 12, "DeliveryError": 1}])
    by_channel: dict[Channel, int] = Field(examples=[{"email": 9, "print": 4}])
    counts: list[NotificationCount] = Field(description="By status and channel; what there is none of isn't listed.")

    @classmethod
    def of(
        cls, counted: Mapping[tuple[NoticeStatus, Channel], int], needing_attention: Container[NoticeStatus]
    ) -> "NotificationsSummary":
        """Counts as they were read."""
        by_status, by_channel = Counter[NoticeStatus](), Counter[Channel]()
        for (status, channel), count in counted.items():
            by_status[status] += count
            by_channel[channel] += count
        return cls(
            total=by_status.total(),
            attention=sum(count for status, count in by_status.items() if status in needing_attention),
            by_status=dict(sorted(by_status.items())),
            by_channel=dict(sorted(by_channel.items())),
            counts=[
                NotificationCount(status=status, channel=channel, count=count)
                for (status, channel), count in sorted(counted.items())
            ],
        )


class MessageAnswer(WireModel):
    """A message as it was sent; `[not kept]` stands where the link's secret stood."""

    channel: Channel
    subject: str | None = Field(default=None, description="Of an email.")
    html: str | None = Field(default=None, description="Of an email.")
    text: str | None = Field(default=None, description="Of an email or a text.")
    pdf_url: str | None = Field(default=None, description="Of a letter: where its PDF can be read for five minutes.")


class QueueActionBody(WireModel):
    """What may go with a cancellation, retry or archiving."""

    opt_out: bool = Field(default=False, description="Opt the guarantor out of the notification's channel as well.")
    reason: Annotated[NamedLine, Field(max_length=200, description="Why; kept in the account's history.")] | None = None


OVERRIDE = "Send it although the account is on hold, with a reason; Bankruptcy and Deceased can't be overridden."


class OnDemandBody(WireModel):
    """A notice to be sent now, whatever the thresholds."""

    channel: Word[Channel]
    send_to: SendTo = "guarantor"
    template_id: Annotated[NamedLine, Field(max_length=100)] | None = None
    override_hold: bool = Field(default=False, description=OVERRIDE)
    reason: Annotated[NamedLine, Field(max_length=200, description="Why a hold is overridden.")] | None = None


WHY_RESENT = "Why; required where a hold is overridden."


class ResendBody(WireModel):
    """What may go with a notification that is sent once more."""

    reason: Annotated[NamedLine, Field(max_length=200, description=WHY_RESENT)] | None = None
    override_hold: bool = Field(default=False, description=OVERRIDE)


class OnDemandAnswer(WireModel):
    """The notice that was asked for."""

    notification_id: str


def _fields(notice: Notice) -> dict[str, object]:
    return {
        "notification_id": notice.notice_id,
        "account_id": notice.account_id,
        "statement_ids": list(notice.statement_ids),
        "channel": notice.channel,
        "notification_type": notice.notification_type,
        "level": notice.level,
        "configuration_id": notice.configuration_id or None,
        "status": notice.status,
        "reason": notice.reason or None,
        "scheduled_for": notice.scheduled_for,
        "sent_at": notice.sent_at,
        "delivered_at": notice.delivered_at,
        "template_id": notice.template_id or None,
        "send_to": notice.send_to,
        "sent_to": notice.sent_to or None,
        "possible_duplicate": notice.possible_duplicate,
        "ingestion_ids": list(notice.ingestion_ids),
    }
