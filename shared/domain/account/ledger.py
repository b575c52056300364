"""What the ledger of notices says: how far a bill's dunning has come, and on which days a channel was used.

A bill's level is never stored; it is read from what went. So a refusal, a late run or a repeated one can't spoil it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from shared.domain.account.reconciliation import in_doubt
from shared.domain.calendar.send_window import local_date
from shared.domain.calendar.steps import CurrentStep
from shared.domain.records import transitions
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import REACHED, BillLevel, Notice, moved
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, NoticeStatus

S = NoticeStatus

IN_FLIGHT = frozenset({S.QUEUED, S.SENDING})
"""On its way to the provider: it covers its levels, and what it says is judged when it is sent."""

STOPPED = frozenset(transitions.STOPPED)
"""It didn't go, and while its day lasts the same row may be taken up again."""

ON_WORKLIST = frozenset({S.UNDELIVERABLE_CAN_RETRY, S.DELIVERY_ERROR, S.QUEUEING_ERROR})
"""It failed, and a person decides whether it is tried again."""

FINAL_REASONS = frozenset({Reason.PAPER_CYCLE, Reason.CANCELLED_BY_STAFF})
"""Reasons that close a step on their channel: time doesn't make up for it (docs/rules.md#paper-cycle-alone)."""


def notice_id(org_id: str, account_id: str, channel: Channel, day: date) -> str:
    """The id of an account's one dunning notice on a channel and local day: planning twice makes the same row."""
    digest = sha256(f"{org_id}\n{account_id}\n{channel}\n{day.isoformat()}".encode()).hexdigest()
    return f"ntc_{digest[:24]}"


def refusal_id(org_id: str, account_id: str, channel: Channel, day: date, reason: str) -> str:
    """The id of the row that says why a channel isn't used on a day; it takes no notice's place."""
    digest = sha256(f"{org_id}\n{account_id}\n{channel}\n{day.isoformat()}\n{reason}".encode()).hexdigest()
    return f"ntc_{digest[:24]}"


def dunning_notices(book: AccountBook) -> tuple[Notice, ...]:
    """The notices that the dunning rules planned: the only ones that count for levels, days and paper cycles.

    One that was archived counts as what it was before: putting a row away changes nothing that happened. One whose
    first sending may have arrived counts as on its way while it waits to be sent once more, so that no other bill is
    added to it, which a late word about the first would then count as told; and as Unknown when that was stopped.
    """
    return tuple(_with_its_doubt(_before_archiving(row)) for row in book.notices if row.notification_type.dunning)


def _before_archiving(notice: Notice) -> Notice:
    before = tuple(entry for entry in notice.status_history if entry.status is not S.ARCHIVED)
    if notice.status is not S.ARCHIVED or not before:
        return notice
    return replace(notice, status=before[-1].status, status_history=before)


def _with_its_doubt(notice: Notice) -> Notice:
    if notice.status not in STOPPED | {S.SCHEDULED} or not in_doubt(notice):
        return notice
    if notice.status is S.SCHEDULED:
        return replace(notice, status=S.QUEUED)
    unheard = S.UNKNOWN if notice.channel.electronic else S.SENDING
    last = max(n for n, entry in enumerate(notice.status_history) if entry.status is unheard)
    return replace(notice, status=S.UNKNOWN, reason="", status_history=notice.status_history[: last + 1])


def moment_of(notice: Notice) -> datetime:
    """When a notice went, or else when something last happened to it."""
    if notice.sent_at:
        return notice.sent_at
    return notice.status_history[-1].at if notice.status_history else notice.created_at


def speaks_of(notice: Notice, bill: Bill) -> BillLevel | None:
    """What a notice says of a bill in the bill's present aging period, and since its last renewal by an update."""
    return None if _before_renewal(notice, bill) else _entry_of(notice, bill)


def _entry_of(notice: Notice, bill: Bill) -> BillLevel | None:
    for entry in notice.bills:
        if entry.statement_id in bill.statement_ids and entry.aging_period == bill.aging_period:
            return entry
    return None


def _before_renewal(notice: Notice, bill: Bill) -> bool:
    return bill.renotify_at is not None and notice.status not in IN_FLIGHT and moment_of(notice) < bill.renotify_at


def told(notice: Notice, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> bool:
    """Whether a notice that went, or is on its way, covers the step that a bill is at.

    A higher level covers a lower one, also one that an update asks to be told again
    (docs/rules.md#higher-level-only). A repetition of the last step is covered only by what went on or after the day on
    which it came round.
    """
    entry = _entry_of(notice, bill)
    if entry is None or notice.status not in REACHED | IN_FLIGHT or entry.level < current.level:
        return False
    if entry.level > current.level:
        return True
    if _before_renewal(notice, bill):
        return False
    if current.round == 0 or notice.status in IN_FLIGHT:
        return True
    return local_date(moment_of(notice), zone) >= current.due_on


def floor_covers(bill: Bill, current: CurrentStep) -> bool:
    """Whether the level that a reset counts as sent covers the step that a bill is at."""
    if bill.level_floor != current.level:
        return bill.level_floor > current.level
    return bill.renotify_at is None and current.round == 0


def closes_step(notice: Notice, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> Reason | None:
    """Why a notice that didn't go keeps its channel from being tried again for the step a bill is at, if it does."""
    entry = speaks_of(notice, bill)
    if entry is None or entry.level != current.level or _last_day(notice, zone) < current.due_on:
        return None
    if notice.status in STOPPED and notice.reason in FINAL_REASONS:
        return Reason(notice.reason)
    return Reason.ON_WORKLIST if notice.status in ON_WORKLIST else None


def came_back(notice: Notice, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> date | None:
    """The local day on which a notice of the step a bill is at came back for now; None: it isn't one, or didn't."""
    entry = speaks_of(notice, bill)
    if entry is None or entry.level != current.level or _last_day(notice, zone) < current.due_on:
        return None
    if notice.status is not S.UNDELIVERABLE_CAN_RETRY:
        return None
    return local_date(notice.status_history[-1].at if notice.status_history else moment_of(notice), zone)


def last_return(book: AccountBook, channel: Channel, zone: ZoneInfo) -> date:
    """The last local day on which a message to the guarantor came back for good; the first of all days: not known."""
    days = (
        local_date(change.at, zone)
        for notice in book.notices
        if notice.channel is channel
        for change in notice.status_history
        if change.status is S.UNDELIVERABLE_PERMANENT
    )
    return max(days, default=date.min)


def says_already(row: Notice, notice: Notice, due_on: date, zone: ZoneInfo) -> bool:
    """Whether a row tells already, for the step that came due on a day, that a notice isn't sent, and why."""
    return (
        row.status in STOPPED
        and row.channel is notice.channel
        and row.reason == notice.reason
        and set(notice.bills) <= set(row.bills)
        and _last_day(row, zone) >= due_on
    )


def _last_day(notice: Notice, zone: ZoneInfo) -> date:
    return max(local_date(notice.scheduled_for, zone), local_date(moment_of(notice), zone))


def can_be_taken_up(notice: Notice) -> bool:
    """Whether a row that didn't go may become a notice again on its day."""
    return notice.status in STOPPED and notice.reason not in FINAL_REASONS


def taken_days(
    notices: tuple[Notice, ...], account: Account, channel: Channel, now: datetime, zone: ZoneInfo
) -> Callable[[date], bool]:
    """Tell for a day whether another dunning notice may not go on a channel: one went, or its row can't be taken up."""
    used = _used_days(notices, channel, now, zone)
    locked = {
        notice.notice_id for notice in notices if notice.status is not S.SCHEDULED and not can_be_taken_up(notice)
    }
    return lambda day: day in used or notice_id(account.org_id, account.account_id, channel, day) in locked


def _used_days(notices: tuple[Notice, ...], channel: Channel, now: datetime, zone: ZoneInfo) -> frozenset[date]:
    """The local days on which a dunning notice on a channel went, failed, or is on its way."""
    days = set[date]()
    for notice in notices:
        if notice.channel is channel and notice.status in IN_FLIGHT:
            days |= {local_date(now, zone), local_date(notice.scheduled_for, zone)}
        elif notice.channel is channel and notice.status not in STOPPED | {S.SCHEDULED}:
            days.add(local_date(moment_of(notice), zone))
    return frozenset(days)


def last_letter_day(notices: tuple[Notice, ...], now: datetime, zone: ZoneInfo) -> date | None:
    """The last local day on which a dunning letter went, or is going, whatever became of it afterwards.

    One that staff had scheduled once more, since it came back, doesn't stand in its own way.
    """
    days = [
        local_date(now if notice.status in IN_FLIGHT else moment_of(notice), zone)
        for notice in notices
        if notice.channel is Channel.PRINT
        and (notice.status in REACHED | IN_FLIGHT or (notice.sent_at and notice.status is not S.SCHEDULED))
    ]
    return max(days, default=None)


def stopped(notice: Notice, now: datetime, actor: str, reason: Reason) -> Notice:
    """The notice as stopped: WillNotSend for a payment, else Cancelled (docs/rules.md#payment-stops-notices)."""
    status = S.WILL_NOT_SEND if reason is Reason.PAYMENT_MADE else S.CANCELLED
    return moved(notice, status, now, actor, reason, lease_until=None)


def with_notices(book: AccountBook, changed: tuple[Notice, ...]) -> AccountBook:
    """The book after notices were written: those with a known id replaced, the others added."""
    rows = {notice.notice_id: notice for notice in book.notices}
    rows |= {notice.notice_id: notice for notice in changed}
    return replace(book, notices=tuple(rows.values()))
