"""Bodies of the lists of accounts of the partner API."""

from pydantic import Field

from shared.contracts.wire import Day, Instant, Money, WireModel
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import Channel, Hold, NoticeStatus, NotificationType


class ListedNotice(WireModel):
    """A notice of an account, in short."""

    notification_id: str
    channel: Channel
    notification_type: NotificationType
    level: int
    status: NoticeStatus
    at: Instant = Field(description="When it is scheduled for, or was sent.")

    @classmethod
    def of(cls, notice: Notice) -> "ListedNotice":
        """A notice as stored."""
        return cls(
            notification_id=notice.notice_id,
            channel=notice.channel,
            notification_type=notice.notification_type,
            level=notice.level,
            status=notice.status,
            at=notice.sent_at or notice.scheduled_for,
        )


class ListedAccount(WireModel):
    """An account, in short."""

    account_id: str
    guarantor_name: str
    balance: Money = Field(description="The sum of what its bills owe.")
    past_due: Money = Field(description="What of it is past due.")
    credit: Money = Field(description="Money that no bill took, and what statements say the practice owes.")
    open_bills: int = Field(description="How many bills are owed and may be dunned.")
    owing_since: Day | None = Field(description="From when the oldest unpaid bill counts; null: nothing is owed.")
    holds: list[Hold]
    next_notice: ListedNotice | None = Field(description="The next that is planned; null: none is yet.")
    last_notice: ListedNotice | None = Field(description="The last that was sent.")
    pay_now: bool = Field(description="Whether there is a balance due, and a way to pay it online.")


class AccountsPage(WireModel):
    """A page of a list of accounts. With a filter it may have fewer than were asked for although there are more."""

    items: list[ListedAccount]
    total: int | None = Field(description="How many there are in all; null where only reading them all would tell.")
    next_cursor: str | None
