"""When an account has to be looked at again for reports, though nobody changes it until then."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.calendar.send_window import DAY
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.transitions import ON_THE_CLOCK
from shared.domain.reporting.facts import AccountFacts
from shared.domain.vocabulary.words import Channel, NoticeStatus

SETTLES_WITHIN = timedelta(minutes=10)
"""How long after its time a notice has most likely moved on; if not, it is looked at again and again."""

REPORTED_WITHIN = (DAY, 4 * DAY)
"""When, after it was sent, a message is looked at again that no provider has said more of: SES tries for 14 hours,
carriers report within 72. The report is written into its row alone, and leaves the account as it is."""

FILED_AT = time(3)
"""When, on the next day by the organization's clock, a day's reconciliation is written: nothing of it moves then."""


def look_again_at(
    book: AccountBook, facts: AccountFacts, filed_through: date, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """When to look at an account again; None: when it is changed again, for nothing moves without that.

    A notice on the clock is moved by the scheduler and its channel without the account's being changed, one that was
    sent by its provider's report (`AccountBooks.settle`). And an account with postings that no file has yet keeps its
    organization from being passed over when the day is filed.
    """
    moves = [_moves_at(notice, now) for notice in book.notices if notice.status in ON_THE_CLOCK]
    reports = [at for notice in book.notices if (at := _reported_by(notice, now))]
    days = (date.fromisoformat(day) for day in facts.postings)
    files = [filed_at(day, zone) for day in days if day > filed_through]
    soonest = min((*moves, *reports, *files), default=None)
    return None if soonest is None else max(soonest, now + SETTLES_WITHIN)


def filed_at(day: date, zone: ZoneInfo) -> datetime:
    """From when on the reconciliation of a day is written."""
    return datetime.combine(day + DAY, FILED_AT, zone)


def last_fileable_day(now: datetime, zone: ZoneInfo) -> date:
    """The last day whose reconciliation may be written."""
    today = now.astimezone(zone).date()
    return today - DAY if filed_at(today - DAY, zone) <= now else today - 2 * DAY


def _moves_at(notice: Notice, now: datetime) -> datetime:
    at = notice.scheduled_for if notice.status is NoticeStatus.SCHEDULED else notice.lease_until
    return (at or now) + SETTLES_WITHIN


def _reported_by(notice: Notice, now: datetime) -> datetime | None:
    """When a message that was sent is looked at next, for a report of it; None: none is to come."""
    if notice.status is not NoticeStatus.SENT or notice.channel is Channel.PRINT or not notice.status_history:
        return None
    looks = (notice.status_history[-1].at + after for after in REPORTED_WITHIN)
    return next((at for at in looks if at > now), None)
