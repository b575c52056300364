"""The account's credit: used for its open bills, brought back where money goes back, told to staff where it is left."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from shared.domain.account.stopping import cancel_pending, cancel_requests
from shared.domain.paying.posting import CREDIT, PostingNote, credit_on, newest_first, oldest_first, settled
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.policy import Organization
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.money import Cents, dollars
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import CreditUse

PRACTICE_FIGURE = "accountCredit"
"""The method of the posting by which a statement's own figure of the credit replaces ours."""


def use_credit(book: AccountBook, organization: Organization, now: datetime, actor: str) -> Change | None:
    """Pay the account's open bills out of its credit, oldest first (docs/rules.md#credit-used).

    None: there is nothing to pay, nothing to pay it with, or the organization keeps credits for its staff.
    """
    rest = book.account.credit
    if organization.credit_use is CreditUse.KEEP or rest <= 0:
        return None
    shares = dict[str, Cents]()
    for bill in oldest_first((bill for bill in book.bills if bill.open), organization):
        share = min(rest, bill.balance)
        if share:
            shares[bill.statement_id] = share
            rest -= share
    return _moved_credit(book, organization, shares, now, actor) if shares else None


def reclaim_credit(
    book: AccountBook, organization: Organization, wanted: Cents, now: datetime, actor: str
) -> Change | None:
    """Bring back into the credit what of it pays bills, from the newest bill on, up to `wanted` cents.

    None: no bill is paid by credit, or nothing is wanted.
    """
    shares, rest = dict[str, Cents](), max(wanted, 0)
    for bill in newest_first((bill for bill in book.bills if not bill.moved_to), organization):
        share = min(rest, max(credit_on(book, bill), 0))
        if share and bill.paid >= share:
            shares[bill.statement_id] = -share
            rest -= share
    return _moved_credit(book, organization, shares, now, actor) if shares else None


def replace_credit(book: AccountBook, organization: Organization, figure: Cents, now: datetime) -> Payment | None:
    """The posting by which the practice's own figure replaces the account's credit; None: it is that already.

    A practice that doesn't know which bills a credit of ours has paid still has it in its figure: then it stands used.
    """
    used = _used(book)
    difference = figure - book.account.credit
    if difference == 0 or (used > 0 and difference == used):
        return None
    return Payment(
        payment_id=_posting_id(book, PRACTICE_FIGURE),
        amount=difference,
        method=PRACTICE_FIGURE,
        received_on=now.astimezone(organization.zone).date(),
        posted_at=now,
        credit=difference,
    )


def _used(book: AccountBook) -> Cents:
    """How much credit pays bills: what went out of the credit here, or came along with bills that it had paid."""
    uses = [payment for payment in book.payments if payment.method == CREDIT]
    on_bills = sum(share.amount for payment in uses for share in payment.allocations)
    return max(on_bills, -sum(payment.credit for payment in uses))


def credit_tasks(before: AccountBook, after: AccountBook, payment_id: str, now: datetime) -> tuple[Task, ...]:
    """The task for staff where a change leaves more credit than there was: refund it, or keep it."""
    left = after.account.credit
    if left <= max(before.account.credit, 0):
        return ()
    return (credit_task(after, payment_id, left, now),)


def credit_task(book: AccountBook, payment_id: str, amount: Cents, now: datetime) -> Task:
    """The task to refund or keep so much of a payment (cents)."""
    account = book.account
    return Task(
        task_id=task_id_at(now, account.account_id, TaskKind.CREDIT_LEFT, payment_id),
        org_id=account.org_id,
        kind=TaskKind.CREDIT_LEFT,
        created_at=now,
        account_id=account.account_id,
        payment_id=payment_id,
        facts={"amount": dollars(amount)},
    )


def _moved_credit(
    book: AccountBook, organization: Organization, shares: dict[str, Cents], now: datetime, actor: str
) -> Change:
    """Credit that goes to bills, or comes back from them (negative shares), as one posting."""
    payment_id = _posting_id(book, CREDIT)
    note = PostingNote(payment_id=payment_id, method=CREDIT, now=now, actor=actor)
    bills = tuple(settled(bill, shares[bill.statement_id], note) for bill in book.bills if bill.statement_id in shares)
    moved = sum(shares.values())
    posting = Payment(
        payment_id=payment_id,
        amount=0,
        method=CREDIT,
        received_on=now.astimezone(organization.zone).date(),
        posted_at=now,
        allocations=tuple(Allocation(statement_id=name, amount=share) for name, share in shares.items()),
        credit=-moved,
        by=actor,
    )
    account = replace(book.account, credit=book.account.credit - moved, planning_at=now)
    change = Change(account=account, bills=bills, payments=(posting,))
    after = book.after(change)
    ended = (*cancel_pending(after, now, actor), *cancel_requests(after, now, actor, Reason.PAYMENT_MADE))
    return replace(change, notices=ended)


def _posting_id(book: AccountBook, cause: str) -> str:
    """Another id with each posting of each version of the account: a decision that lost its race leaves none behind."""
    facts = (book.account.account_id, str(book.account.version), str(len(book.payments)), cause)
    return f"crd_{sha256('\n'.join(facts).encode()).hexdigest()[:24]}"
