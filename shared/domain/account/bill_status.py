"""A bill's status set by staff, and how far its dunning has come."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.ledger import dunning_notices
from shared.domain.account.stopping import cancel_pending, cancel_requests
from shared.domain.records.bill import BILL_CANCELLED, Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import COUNTS_AS_SENT
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus

STATUS_EVENTS = {
    BillStatus.DUE: "BillReopened",
    BillStatus.SUSPENDED: "BillSuspended",
    BillStatus.CANCELLED: BILL_CANCELLED,
}

MAY_BECOME = {
    BillStatus.DUE: frozenset({BillStatus.SUSPENDED, BillStatus.CANCELLED}),
    BillStatus.SUSPENDED: frozenset({BillStatus.DUE, BillStatus.CANCELLED}),
    BillStatus.CANCELLED: frozenset({BillStatus.DUE}),
    BillStatus.PAID: frozenset[BillStatus](),
}
"""What staff may make of a bill. A paid one is reopened by the payment that goes back, never by hand."""


class StatusRefusedError(Exception):
    """A bill can't be given this status; the text says why."""


def set_status(
    book: AccountBook, statement_id: str, status: BillStatus, reason: str, now: datetime, actor: str
) -> Change | None:
    """Give a bill a status, and stop what is pending without a cause then; None: nothing changes.

    Nothing does where it has that status and reason, or went to another account. Its age goes on. Raises
    StatusRefusedError for what staff may not do.
    """
    bill = book.bill(statement_id)
    if bill is None or bill.moved_to or (bill.status is status and bill.status_reason == reason):
        return None
    if bill.status is not status and status not in MAY_BECOME[bill.status]:
        raise StatusRefusedError(f"A bill that is {bill.status} can't be made {status}.")
    if status is BillStatus.DUE and bill.balance <= 0:
        raise StatusRefusedError("A bill without a balance can't be made Due.")
    event = HistoryEvent(at=now, event=STATUS_EVENTS[status], actor=actor, reason=reason)
    after = replace(bill, status=status, status_reason=reason, history=(*bill.history, event))
    bills = tuple(after if known.statement_id == statement_id else known for known in book.bills)
    then = replace(book, bills=bills)
    stopped = (*cancel_pending(then, now, actor), *cancel_requests(then, now, actor, Reason.BILL_CANCELLED))
    return Change(account=replace(book.account, planning_at=now), bills=(after,), notices=stopped)


def level_sent(book: AccountBook, bill: Bill, organization: Organization) -> int:
    """The highest level sent in the bill's present aging period, or counted as sent by a reset; 0: none.

    What went to test contacts counts only while test mode lasts (docs/rules.md#go-live).
    """
    testing = organization.test_contacts is not None
    sent = (
        entry.level
        for notice in dunning_notices(book)
        if notice.status in COUNTS_AS_SENT and (testing or not notice.to_test_contact)
        for entry in notice.bills
        if entry.statement_id in bill.statement_ids and entry.aging_period == bill.aging_period
    )
    return max(bill.level_floor, *sent, 0)
