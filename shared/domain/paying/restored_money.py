"""Money that had been taken back and comes again: a dispute that was won, a refund that failed at the bank."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.stopping import cancel_pending, cancel_requests
from shared.domain.paying.credit import credit_tasks, use_credit
from shared.domain.paying.posting import CHARGEBACK, PostingNote, oldest_first, settled, standing_bill
from shared.domain.paying.reversals import Takeback, takeback_id
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus


def bring_back(
    book: AccountBook, organization: Organization, wanted: Takeback, now: datetime, actor: str
) -> Change | None:
    """Post that money taken back by postings of a kind is there again (docs/rules.md#money-that-comes-again).

    It goes to the bills that it was taken from, as far as they still owe it, and what they don't becomes credit. A bill
    that a chargeback suspended is Due again once none of its money is disputed. None: there is nothing of it.
    """
    back = [one for one in book.payments if one.reverses == wanted.payment_id and one.method == wanted.kind]
    amount = min(wanted.amount or 0, -sum(one.amount for one in back))
    if amount <= 0:
        return None
    shares, rest = _shares(book, organization, back, amount)
    posting_id = takeback_id(book, wanted.payment_id)
    note = PostingNote(payment_id=posting_id, method=wanted.kind, now=now, actor=actor)
    posting = Payment(
        payment_id=posting_id,
        amount=amount,
        method=wanted.kind,
        received_on=now.astimezone(organization.zone).date(),
        posted_at=now,
        allocations=tuple(Allocation(statement_id=name, amount=share) for name, share in shares.items()),
        credit=rest,
        reverses=wanted.payment_id,
        reason=wanted.reason,
        by=actor,
    )
    taken = {name for one in back for name in one.statement_ids}
    all_back = amount == -sum(one.amount for one in back)
    bills = tuple(
        _due_again(settled(bill, shares.get(bill.statement_id, 0), note), note, all_back=all_back)
        for bill in book.bills
        if taken & set(bill.statement_ids) and not bill.moved_to
    )
    facts = {"paymentId": wanted.payment_id, "method": wanted.kind}
    event = HistoryEvent(at=now, event="PaymentRestored", actor=actor, reason=wanted.reason, facts=facts)
    account = replace(book.account, credit=book.account.credit + rest, planning_at=now)
    change = Change(account=account, bills=bills, payments=(posting,), history=(event,))
    used = use_credit(book.after(change), organization, now, actor)
    whole = change.then(used) if used else change
    after = book.after(whole)
    ended = (*cancel_pending(after, now, actor), *cancel_requests(after, now, actor, Reason.PAYMENT_MADE))
    known = {notice.notice_id: notice for notice in (*whole.notices, *ended)}
    return replace(whole, notices=tuple(known.values()), tasks=credit_tasks(book, after, posting_id, now))


def _shares(
    book: AccountBook, organization: Organization, back: list[Payment], amount: Cents
) -> tuple[dict[str, Cents], Cents]:
    """How much goes to which bill again, and how much to none."""
    taken = dict[str, Cents]()
    for allocation in (allocation for one in back for allocation in one.allocations):
        bill = standing_bill(book, allocation.statement_id)
        if bill is not None:
            taken[bill.statement_id] = taken.get(bill.statement_id, 0) - allocation.amount
    shares, rest = dict[str, Cents](), amount
    for bill in oldest_first((bill for bill in book.bills if taken.get(bill.statement_id, 0) > 0), organization):
        share = min(rest, taken[bill.statement_id], max(bill.balance, 0))
        if share and bill.status is not BillStatus.CANCELLED:
            shares[bill.statement_id] = share
            rest -= share
    return shares, rest


def _due_again(bill: Bill, note: PostingNote, *, all_back: bool) -> Bill:
    """A bill that the chargeback had suspended, owed as any other once all of it is back."""
    if (
        not all_back
        or note.method != CHARGEBACK
        or (bill.status, bill.status_reason) != (BillStatus.SUSPENDED, CHARGEBACK)
    ):
        return bill
    event = HistoryEvent(at=note.now, event="BillReopened", actor=note.actor, reason=note.method)
    return replace(bill, status=BillStatus.DUE, status_reason="", history=(*bill.history, event))
