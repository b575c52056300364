"""For which notice a payment counts."""

from datetime import datetime, timedelta

from shared.domain.records.book import AccountBook
from shared.domain.records.notice import COUNTS_AS_SENT, Notice
from shared.domain.records.payment import Payment
from shared.domain.vocabulary.words import NoticeStatus, NotificationType

COUNTS_FOR = timedelta(days=30)
"""How long before a payment a notice may have gone that the payment counts for."""


def notice_before(book: AccountBook, payment: Payment) -> Notice | None:
    """The last notice that asked for what was paid and went within COUNTS_FOR before (docs/rules.md#counts-for).

    It is one about a bill that the payment went to; of a payment that went to no bill, any of the account.
    """
    paid = {name for share in payment.allocations for name in _names(book, share.statement_id)}
    sent = [
        (at, notice.notice_id)
        for notice in book.notices
        if notice.notification_type is not NotificationType.RECEIPT
        and (not paid or paid & set(notice.statement_ids))
        and (at := sent_before(notice, payment.posted_at)) is not None
        and payment.posted_at - at <= COUNTS_FOR
    ]
    return book.notice(max(sent)[1]) if sent else None


def sent_before(notice: Notice, moment: datetime) -> datetime | None:
    """When a notice last went, as was known at a moment; None: it hadn't gone by then, or had bounced."""
    sent_at: datetime | None = None
    for entry in notice.status_history:
        if entry.at > moment:
            break
        if entry.status not in COUNTS_AS_SENT:
            # A notice that staff archived went nevertheless.
            sent_at = sent_at if entry.status is NoticeStatus.ARCHIVED else None
        elif sent_at is None:
            sent_at = entry.at
    return sent_at


def _names(book: AccountBook, statement_id: str) -> set[str]:
    """The statement, and those of the same bill (Lifetime)."""
    return {name for bill in book.bills if statement_id in bill.statement_ids for name in bill.statement_ids}
