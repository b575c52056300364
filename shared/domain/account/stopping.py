"""Stopping what is pending when its cause is gone."""

from datetime import datetime

from shared.domain.account.contacts import opt_out_refusal
from shared.domain.account.ledger import stopped
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import CANCELLABLE, Notice
from shared.domain.vocabulary.reasons import Reason, closed_bill_reason, hold_reasons
from shared.domain.vocabulary.words import NotificationType


def pause_reason(account: Account) -> Reason | None:
    """Why no reminder goes to an account; None: nothing pauses it. What is over by itself is taken off before."""
    held = hold_reasons(account.holds)
    if held:
        return held[0]
    if account.objections:
        return Reason.OBJECTION
    return Reason.REMIND_LATER if account.remind_on else None


def lost_cause(notice: Notice, book: AccountBook) -> Reason | None:
    """Why a dunning notice has no cause left: a pause, an opt-out, or no bill in it that is still open."""
    paused = pause_reason(book.account)
    if paused:
        return paused
    bills = [book.bill(statement_id) for statement_id in notice.statement_ids]
    if not any(bill and bill.open for bill in bills):
        closed = [closed_bill_reason(bill.status) for bill in bills if bill]
        return closed[0] if closed else Reason.NO_OPEN_BILL
    return opt_out_refusal(notice.channel, book.account)


def cancel_pending(
    book: AccountBook,
    now: datetime,
    actor: str,
    reason: Reason | None = None,
    *,
    everything: bool = False,
) -> tuple[Notice, ...]:
    """Stop the dunning notices not yet given to a provider that have no cause left; or all of them (`everything`).

    `book` is as it is after the event. Without a reason each says its own. A payment makes them WillNotSend, anything
    else Cancelled; the history is appended to.
    """
    ended = list[Notice]()
    for notice in book.notices:
        if notice.status not in CANCELLABLE or not notice.notification_type.dunning:
            continue
        lost = lost_cause(notice, book)
        if everything or lost:
            ended.append(stopped(notice, now, actor, reason or lost or Reason.NO_STEP_DUE))
    return tuple(ended)


def cancel_requests(book: AccountBook, now: datetime, actor: str, reason: Reason) -> tuple[Notice, ...]:
    """Stop the messages on demand and payment links, not yet given to a provider, by which nothing can be paid now.

    `book` is as it is after the event. One about no bill in particular is about all of the account's. A receipt goes
    whatever became of its bills.
    """
    payable = {bill.statement_id for bill in book.bills if bill.payable}
    return tuple(
        stopped(notice, now, actor, reason)
        for notice in book.notices
        if notice.status in CANCELLABLE
        and notice.notification_type in {NotificationType.ON_DEMAND, NotificationType.PAYMENT_LINK}
        and payable.isdisjoint(notice.statement_ids or payable)
    )
