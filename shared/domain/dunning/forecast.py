"""The next notices if nothing changes: the very same planning and judging, run forward."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.account.ledger import with_notices
from shared.domain.dunning.decision import Defer, Refuse, Send
from shared.domain.dunning.judging import judge
from shared.domain.dunning.planning import plan
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import PENDING, Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import NoticeStatus

FORECAST_HORIZON = timedelta(days=180)

INSTANT = timedelta(seconds=1)


def forecast(
    book: AccountBook, organization: Organization, now: datetime, horizon: timedelta = FORECAST_HORIZON
) -> tuple[Notice, ...]:
    """Foresee the dunning notices of the coming days, in the order in which they go.

    Each is the row as it would stand then: Sent with its moment, its message and its bills; or WillNotSend with the
    reason. Every message counts as delivered, every balance as unchanged.
    """
    seen = {notice.notice_id: notice for notice in book.notices}
    book = foreseen(book, organization, now, now + horizon)
    done = [notice for notice in book.notices if notice != seen.get(notice.notice_id) and notice.status not in PENDING]
    return tuple(sorted(done, key=lambda notice: (notice.sent_at or notice.scheduled_for, notice.notice_id)))


def foreseen(book: AccountBook, organization: Organization, now: datetime, end: datetime) -> AccountBook:
    """The book as it will be at an instant if nothing changes, with all that will have been planned and sent."""
    moment = now
    while moment <= end:
        planned = plan(book, organization, moment)
        book = book.after(planned.change(book.account))
        book = _send_what_is_due(book, organization, moment)
        later = [notice.scheduled_for for notice in _pending(book)]
        if planned.next_planning_at:
            later.append(planned.next_planning_at)
        if not later:
            break
        moment = max(min(later), moment + INSTANT)
    return book


def _pending(book: AccountBook) -> list[Notice]:
    return [notice for notice in book.notices if notice.status in PENDING and notice.notification_type.dunning]


def _send_what_is_due(book: AccountBook, organization: Organization, now: datetime) -> AccountBook:
    for notice in sorted(_pending(book), key=lambda notice: (notice.scheduled_for, notice.notice_id)):
        if notice.scheduled_for <= now:
            book = with_notices(book, (_sent(notice, book, organization, now),))
    return book


def _sent(notice: Notice, book: AccountBook, organization: Organization, now: datetime) -> Notice:
    """The notice after its turn, as its channel would leave it."""
    match judge(notice, book, organization, now):
        case Send() as verdict:
            return replace(
                notice,
                status=NoticeStatus.SENT,
                sent_at=now,
                notification_type=verdict.notification_type,
                level=verdict.level,
                bills=verdict.bills,
                template_id=verdict.template_id,
            )
        case Refuse(reason=reason):
            return replace(notice, status=NoticeStatus.WILL_NOT_SEND, reason=reason)
        case Defer(until=until):
            return replace(notice, status=NoticeStatus.SCHEDULED, scheduled_for=until)
