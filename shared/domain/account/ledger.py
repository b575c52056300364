"""What the ledger of notices says: its rows' ids, when something last happened to one, and when a channel was used."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from itertools import dropwhile
from zoneinfo import ZoneInfo

from shared.domain.account.reconciliation import possibly_sent
from shared.domain.calendar.send_window import local_date
from shared.domain.records import transitions
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import COUNTS_AS_SENT, Notice, moved
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel
from shared.domain.vocabulary.words import NoticeStatus as S

IN_FLIGHT = frozenset({S.QUEUED, S.SENDING})
"""On its way to the provider: it covers its levels, and what it says is judged when it is sent."""

NOT_SENT = frozenset(transitions.STOPPED)
"""It didn't go, and while its day lasts the same row may be taken up again."""

FINAL_REASONS = frozenset({Reason.PAPER_CYCLE, Reason.CANCELLED_BY_STAFF})
"""Reasons that close a step on their channel: time alone doesn't make up for it (docs/rules.md#paper-cycle-alone)."""


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

    One that was archived counts as what it was before: archiving a row changes nothing that happened. One whose first
    sending may have arrived counts as on its way while it waits to be sent once more, so that no other bill is added to
    it, which a late report about the first would then count as sent; and as Unknown when that was stopped.
    """
    return tuple(_as_possibly_sent(_before_archiving(row)) for row in book.notices if row.notification_type.dunning)


def _before_archiving(notice: Notice) -> Notice:
    before = tuple(entry for entry in notice.status_history if entry.status is not S.ARCHIVED)
    if notice.status is not S.ARCHIVED or not before:
        return notice
    return replace(notice, status=before[-1].status, status_history=before)


def _as_possibly_sent(notice: Notice) -> Notice:
    if notice.status is S.SCHEDULED and possibly_sent(notice):
        return replace(notice, status=S.QUEUED)
    if notice.status in NOT_SENT and possibly_sent(notice):
        return _as_unreported(notice)
    return notice


def _as_unreported(notice: Notice) -> Notice:
    """A notice as it was while nobody had reported on its last sending, without what came after."""
    unreported = S.UNKNOWN if notice.channel.electronic else S.SENDING
    newest_first = dropwhile(lambda entry: entry.status is not unreported, reversed(notice.status_history))
    return replace(notice, status=S.UNKNOWN, reason="", status_history=tuple(newest_first)[::-1])


def moment_of(notice: Notice) -> datetime:
    """When a notice went, or else when something last happened to it."""
    if notice.sent_at:
        return notice.sent_at
    return notice.status_history[-1].at if notice.status_history else notice.created_at


def last_permanent_bounce(book: AccountBook, channel: Channel, zone: ZoneInfo) -> date:
    """The last local day on which a message to the guarantor bounced permanently; the first of all days: not known."""
    days = (
        local_date(change.at, zone)
        for notice in book.notices
        if notice.channel is channel
        for change in notice.status_history
        if change.status is S.UNDELIVERABLE_PERMANENT
    )
    return max(days, default=date.min)


def refusal_on_record(
    row: Notice, notice: Notice, due_on: date, zone: ZoneInfo, asked_again: datetime | None = None
) -> bool:
    """Whether a row says already, for the step that came due on a day, that a notice isn't sent, and why.

    asked_again: when an update last asked for the step again; what was refused before says nothing of that.
    """
    return (
        row.status in NOT_SENT
        and (asked_again is None or moment_of(row) >= asked_again)
        and row.channel is notice.channel
        and row.reason == notice.reason
        and last_day(row, zone) >= due_on
        and set(notice.bills) <= set(row.bills)
    )


def last_day(notice: Notice, zone: ZoneInfo) -> date:
    """The last local day that a notice is of: the one it was planned for, or on which something happened to it."""
    return max(local_date(notice.scheduled_for, zone), local_date(moment_of(notice), zone))


def can_be_taken_up(notice: Notice) -> bool:
    """Whether a row that didn't go may become a notice again on its day."""
    return notice.status in NOT_SENT and notice.reason not in FINAL_REASONS


def taken_days(
    notices: tuple[Notice, ...], account: Account, channel: Channel, now: datetime, zone: ZoneInfo
) -> Callable[[date], bool]:
    """Says of a day whether no other dunning notice may go on a channel: one was sent, or its row can't be taken up."""
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
        elif notice.channel is channel and notice.status not in NOT_SENT | {S.SCHEDULED}:
            days.add(local_date(moment_of(notice), zone))
    return frozenset(days)


def went_on(notices: Iterable[Notice], day: date, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a dunning notice went on a day, or is on its way, on whatever channel: the day's notice has gone."""
    return any(
        local_date(now if notice.status in IN_FLIGHT else moment_of(notice), zone) == day
        for notice in notices
        if notice.status in COUNTS_AS_SENT | IN_FLIGHT
    )


def last_letter_day(notices: tuple[Notice, ...], now: datetime, zone: ZoneInfo) -> date | None:
    """The last local day on which a dunning letter went, or is going, whatever became of it afterwards.

    One that staff had scheduled once more, since it bounced, doesn't stand in its own way.
    """
    days = [
        local_date(now if notice.status in IN_FLIGHT else moment_of(notice), zone)
        for notice in notices
        if notice.channel is Channel.PRINT
        and (notice.status in COUNTS_AS_SENT | IN_FLIGHT or (notice.sent_at and notice.status is not S.SCHEDULED))
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
