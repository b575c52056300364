"""An account as lists show it."""

from collections import Counter
from collections.abc import Sequence

from shared.domain.account.search_facts import alike_name, patient_names
from shared.domain.records.account import AccountSummary, UnpaidBills
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import PENDING, Notice
from shared.domain.vocabulary.words import Channel


def summarized(book: AccountBook) -> AccountSummary:
    """The summary of an account as it is."""
    amounts, bills = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    payable = [bill for bill in book.bills if bill.payable]
    days = {bill.effective_created_date.isoformat(): bill.effective_created_date for bill in payable}
    for bill in payable:
        group = bill.effective_created_date.isoformat(), not bill.open
        amounts[group] += bill.balance
        bills[group] += 1
    here = [bill for bill in book.bills if not bill.moved_to]
    return AccountSummary(
        unpaid=tuple(
            UnpaidBills(since=days[day], suspended=suspended, amount=amounts[day, suspended], bills=count)
            for (day, suspended), count in sorted(bills.items())
        ),
        credit=book.credit,
        patient_names=tuple(sorted(patient_names(here) - {alike_name(book.account.guarantor.last_name)})),
        notice_ids=tuple(notice.notice_id for notice in _noteworthy(book)),
    )


def _noteworthy(book: AccountBook) -> list[Notice]:
    """The first notice on its way on each channel, and the last that went.

    Notices are sent without the account being written, so which of them is the next one is found out by whoever reads.
    """
    by_channel = (
        min(_pending(book, channel), key=lambda each: each.scheduled_for, default=None) for channel in Channel
    )
    last = last_notice(book.notices)
    return [*filter(None, by_channel), *([last] if last else [])]


def _pending(book: AccountBook, channel: Channel) -> list[Notice]:
    return [notice for notice in book.notices if notice.channel is channel and notice.status in PENDING]


def next_notice(notices: Sequence[Notice]) -> Notice | None:
    """Of some notices the first that is still to go; None: none is."""
    return min(
        (notice for notice in notices if notice.status in PENDING), key=lambda each: each.scheduled_for, default=None
    )


def last_notice(notices: Sequence[Notice]) -> Notice | None:
    """Of some notices the one that was sent last; None: none was."""
    sent = [(notice.sent_at, notice.notice_id, notice) for notice in notices if notice.sent_at]
    return max(sent)[2] if sent else None
