"""A notice: one planned or sent communication on one channel to one account. Its row is the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Self, TypedDict, Unpack

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.stored import StoredRecord
from shared.domain.records.transitions import ALLOWED, BORN, WAITING, require
from shared.domain.vocabulary.actors import person_behind
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType
from shared.domain.vocabulary.words import NoticeStatus as S

PENDING = frozenset({*WAITING, S.SENDING})
"""On its way: no other dunning notice is planned on its channel meanwhile."""

COUNTS_AS_SENT = frozenset({S.SENT, S.DELIVERED, S.UNKNOWN})
"""Sent, or possibly sent: its levels count as sent."""

CANCELLABLE = frozenset(WAITING)
"""Not yet given to a provider: a payment, opt-out or hold may still stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLevel:
    """A bill that a notice is about, with the step that the bill was at."""

    statement_id: str
    aging_period: str
    level: int

    @classmethod
    def of(cls, bill: Bill, level: int = 0) -> Self:
        """A bill as it is now, at the level of a step; 0: no step asked for the notice."""
        return cls(statement_id=bill.statement_id, aging_period=bill.aging_period, level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One entry of a notice's append-only history. by: the person behind the actor, if the actor names one."""

    status: NoticeStatus
    at: datetime
    actor: str
    reason: str = ""
    level: int = 0
    template_id: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        """Keep the person whom the actor names."""
        object.__setattr__(self, "by", self.by or person_behind(self.actor))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """What lies in the print bucket for a letter. sha256: of the PDF, in hexadecimal."""

    pages: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(StoredRecord):
    """One communication to one account on one channel.

    level: the highest step among `bills`; 0 for notices that no step asked for.
    attempt: how many times it was given to the provider.
    scheduled_for: when it should be sent; lease_until: when a queued, sending or unknown one is next checked.
    ingestion_ids: of the files that its bills were last created or updated by.
    configuration_id: of the dunning configuration whose step asked for it; "": no step did.
    message_type: whose words it has, where it repeats a notice of another type; None: its own type's.
    send_to: its recipient (GUARANTOR, PATIENT or BILL_TO). sent_to: the masked address it was sent to.
    provider_message_id: the provider's own id of it. letter: of a notice that was sent as a letter.
    to_test_contact: it was sent in test mode, to the organization's test contact instead of its recipient.
    possible_duplicate: it was, or is to be, sent once more although an earlier sending may have arrived.
    moves_read: how many entries its stored history had when it was read; None: it isn't stored yet. Every write of a
    row appends an entry, so this says whether somebody else wrote it since.
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
    letter: StoredLetter | None = None
    possible_duplicate: bool = False
    to_test_contact: bool = False
    ingestion_ids: tuple[str, ...] = ()
    configuration_id: str = ""
    message_type: NotificationType | None = None
    payment_id: str = ""
    link_id: str = ""
    send_to: str = "guarantor"
    status_history: tuple[StatusChange, ...] = ()
    moves_read: int | None = field(default=None, compare=False, repr=False)

    @property
    def worded_as(self) -> NotificationType:
        """The type whose words its message has."""
        return self.message_type or self.notification_type

    @property
    def statement_ids(self) -> tuple[str, ...]:
        """The statements that the notice is about."""
        return tuple(bill.statement_id for bill in self.bills)


class NewNoticeFields(TypedDict, total=False):
    """What a new row may say of itself beyond what every new row says; each as the row's own field."""

    level: int
    scheduled_for: datetime
    template_id: str
    ingestion_ids: tuple[str, ...]
    configuration_id: str
    message_type: NotificationType | None
    payment_id: str
    link_id: str
    send_to: str


def new_notice(
    account: Account,
    *,
    notice_id: str,
    channel: Channel,
    notification_type: NotificationType,
    bills: Iterable[BillLevel],
    now: datetime,
    **more: Unpack[NewNoticeFields],
) -> Notice:
    """A row that an account's ledger doesn't have yet, to go now unless `more` has another `scheduled_for`.

    It is in no status before it is moved into its first: no row is written without an entry in its history.
    """
    fields: NewNoticeFields = {"scheduled_for": now, **more}
    return Notice(
        notice_id=notice_id,
        org_id=account.org_id,
        account_id=account.account_id,
        channel=channel,
        notification_type=notification_type,
        bills=tuple(bills),
        created_at=now,
        **fields,
    )


def scheduled(notice: Notice, at: datetime, actor: str, why: str) -> Notice:
    """A notice that waits for its time. Why stands in its history: on its way it needs no reason of its own."""
    return replace(moved(notice, S.SCHEDULED, at, actor, why), reason="")


def moved(
    notice: Notice,
    status: NoticeStatus,
    at: datetime,
    actor: str,
    reason: str = "",
    **changes: Any,  # noqa: ANN401 - any field of the row
) -> Notice:
    """The row after a notice moved to its next status, the change in its history; `changes` are further fields.

    Raises ForbiddenTransitionError for a move that the table of transitions doesn't have.
    """
    new = notice.status is S.SCHEDULED and not notice.status_history and status in BORN
    require(None if new else notice.status, status)
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


def caught_up(wanted: Notice, current: Notice) -> Notice | None:
    """A row as it was to become, after what others have made of it since it was read (`current`).

    Its new moves follow on theirs; what it says nothing of stays as they left it. None: a move that isn't possible from
    there any more, so the row stays as it is (docs/rules.md#any-number).
    """
    entries = wanted.status_history[wanted.moves_read or 0 :]
    way = [current.status, *(entry.status for entry in entries)]
    if not entries or not ALLOWED.issuperset(pairwise(way)):
        return None
    silent = [one.name for one in fields(wanted) if one.name not in _OF_A_MOVE and not getattr(wanted, one.name)]
    return replace(
        wanted,
        attempt=max(wanted.attempt, current.attempt),
        status_history=(*current.status_history, *entries),
        **{name: getattr(current, name) for name in silent},
    )


_OF_A_MOVE = frozenset({"status", "reason", "lease_until", "attempt", "status_history", "moves_read"})
"""What a move decides, also where it leaves it empty."""
