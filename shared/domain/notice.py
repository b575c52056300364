"""A notice: one planned or sent communication on one channel to one account. Its row is the ledger."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.words import Channel, NoticeStatus, NotificationType

S = NoticeStatus

PENDING = frozenset({S.SCHEDULED, S.QUEUED, S.SENDING})
"""On its way: no other dunning notice is planned beside it on its channel."""

REACHED = frozenset({S.SENT, S.DELIVERED, S.UNKNOWN})
"""It went, or may have gone: its levels count as reached."""

CANCELLABLE = frozenset({S.SCHEDULED, S.QUEUED})
"""Not yet given to a provider: a payment, opt-out or hold may still stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLevel:
    """A bill that a notice speaks of, with the step that the bill was at."""

    statement_id: str
    aging_period: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One entry of a notice's append-only history."""

    status: NoticeStatus
    at: datetime
    actor: str
    reason: str = ""
    level: int = 0
    template_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One communication to one account on one channel.

    level: the highest step among `bills`; 0 for notices that no step asked for.
    attempt: how many times it was given to the provider.
    scheduled_for: when it should go; lease_until: when a queued or sending one is looked at again.
    ingestion_ids: of the files that its bills were last created or updated by.
    sent_to: the masked address it went to. provider_message_id: the provider's own id of it.
    """

    notice_id: str
    org_id: str
    account_id: str
    channel: Channel
    notification_type: NotificationType
    level: int = 0
    bills: tuple[BillLevel, ...] = ()
    status: NoticeStatus = NoticeStatus.SCHEDULED
    reason: str = ""
    scheduled_for: datetime
    created_at: datetime
    lease_until: datetime | None = None
    attempt: int = 0
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    template_id: str = ""
    sent_to: str = ""
    provider_message_id: str = ""
    possible_duplicate: bool = False
    ingestion_ids: tuple[str, ...] = ()
    payment_id: str = ""
    link_id: str = ""
    send_to: str = "guarantor"
    status_history: tuple[StatusChange, ...] = ()

    @property
    def statement_ids(self) -> tuple[str, ...]:
        """The statements that the notice speaks of."""
        return tuple(bill.statement_id for bill in self.bills)


def moved(
    notice: Notice,
    status: NoticeStatus,
    at: datetime,
    actor: str,
    reason: str = "",
    **changes: Any,  # noqa: ANN401 - any field of the row
) -> Notice:
    """A notice in its next status, the change appended to its history; `changes` are further fields of the row."""
    moved_on = replace(notice, status=status, reason=reason, **changes)
    entry = StatusChange(
        status=status,
        at=at,
        actor=actor,
        reason=reason,
        level=moved_on.level,
        template_id=moved_on.template_id,
    )
    return replace(moved_on, status_history=(*notice.status_history, entry))


def lease_over(notice: Notice, now: datetime, lease_until: datetime) -> Notice:
    """What becomes of a notice whose lease ended before anybody reported back.

    One that waits in a queue is queued once more. One that was being sent may have gone, so it becomes Unknown and is
    not sent again by itself; a letter, though, is an object written at most once, so writing it again is safe.
    """
    if notice.status is S.SENDING and notice.channel.electronic:
        return moved(notice, S.UNKNOWN, now, "scheduler", "the provider may have it", lease_until=None)
    return moved(notice, S.QUEUED, now, "scheduler", "its lease ended", lease_until=lease_until)
