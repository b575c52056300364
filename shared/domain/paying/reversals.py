"""Taking a payment back: a posting of its own, whole or in part; nothing that was posted is edited."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from shared.domain.paying.credit import reclaim_credit, use_credit
from shared.domain.paying.moved_money import NO_MONEY
from shared.domain.paying.posting import PostingNote, newest_first, settled, standing_bill
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents

REVERSAL, REFUND = "reversal", "refund"
"""The methods of postings that take back: a mistake at the desk, money given back by the processor."""

ONLINE_PAYMENT = "pay_dln_"
"""How the ids of payments begin that a processor took (`patient_requests.payment_id_of`)."""


@dataclass
class ReversalRefusedError(Exception):
    """A payment can't be taken back so; the text says why."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeback:
    """What is to be taken back. amount: cents; None: all that is left of it. kind: REVERSAL or REFUND."""

    payment_id: str
    kind: str
    reason: str
    amount: Cents | None = None


def take_back(
    book: AccountBook, organization: Organization, wanted: Takeback, now: datetime, actor: str
) -> tuple[Change, Payment]:
    """Post the reversal or refund of a payment, and what goes with it (docs/rules.md#reversal).

    What no bill had taken of it comes out of the credit first, which comes back from the bills that it paid where it
    must; then the newest of its bills is owed again. Raises ReversalRefusedError.
    """
    payment = _payment(book, wanted)
    left = book.left_of(payment)
    amount = left if wanted.amount is None else wanted.amount
    if left <= 0:
        raise ReversalRefusedError("It has been taken back whole already, or went with its bill to another account.")
    if not 0 < amount <= left:
        raise ReversalRefusedError("The amount is more than is left of the payment.")
    whole = Change(account=replace(book.account, planning_at=now))
    shares, from_credit = _shares(book, organization, payment, amount)
    missing = from_credit - max(book.account.credit, 0)
    reclaimed = reclaim_credit(book, organization, missing, now, actor)
    if reclaimed:
        whole = whole.then(reclaimed)
    here, today = book.after(whole), now.astimezone(organization.zone).date()
    posting_id = takeback_id(book, payment.payment_id)
    note = PostingNote(payment_id=posting_id, method=wanted.kind, now=now, actor=actor)
    posting = _posting(wanted, shares, from_credit, note, today)
    event = HistoryEvent(
        at=now,
        event="PaymentTakenBack",
        actor=actor,
        reason=wanted.reason,
        facts={"paymentId": payment.payment_id, "method": wanted.kind},
    )
    bills = tuple(settled(bill, -shares[bill.statement_id], note) for bill in here.bills if bill.statement_id in shares)
    account = replace(here.account, credit=here.account.credit - from_credit)
    whole = whole.then(Change(account=account, bills=bills, payments=(posting,), history=(event,)))
    used = use_credit(book.after(whole), organization, now, actor)
    return (whole.then(used) if used else whole), posting


def _payment(book: AccountBook, wanted: Takeback) -> Payment:
    payment = book.payment(wanted.payment_id)
    if payment is None or payment.amount <= 0 or payment.reverses or payment.method in NO_MONEY:
        raise ReversalRefusedError("Only money that came in can be taken back.")
    online = payment.payment_id.startswith(ONLINE_PAYMENT)
    if online and wanted.kind == REVERSAL:
        raise ReversalRefusedError("The processor took this payment: refund it.")
    if not online and wanted.kind == REFUND:
        raise ReversalRefusedError("No processor took this payment: reverse it.")
    return payment


def _shares(
    book: AccountBook, organization: Organization, payment: Payment, amount: Cents
) -> tuple[dict[str, Cents], Cents]:
    """How much comes back from which bill, and how much out of the credit."""
    before = [other for other in book.payments if other.reverses == payment.payment_id]
    credit = payment.credit + sum(other.credit for other in before)
    from_credit = min(amount, max(credit, 0))
    went = dict[str, Cents]()
    for posting in (payment, *before):
        for allocation in posting.allocations:
            went[allocation.statement_id] = went.get(allocation.statement_id, 0) + allocation.amount
    paid = dict[str, Cents]()
    for statement_id, share in went.items():
        # What went along with a bill to another account is taken back there.
        if share:
            bill = _bill(book, statement_id)
            paid[bill.statement_id] = paid.get(bill.statement_id, 0) + share
    shares, rest = dict[str, Cents](), amount - from_credit
    for bill in newest_first((bill for bill in book.bills if paid.get(bill.statement_id, 0) > 0), organization):
        share = min(rest, paid[bill.statement_id])
        if share:
            shares[bill.statement_id] = share
            rest -= share
    return shares, from_credit


def _bill(book: AccountBook, statement_id: str) -> Bill:
    bill = standing_bill(book, statement_id)
    if bill is None:
        raise ReversalRefusedError("Its bill is another account's by now.")
    return bill


def _posting(wanted: Takeback, shares: dict[str, Cents], from_credit: Cents, note: PostingNote, today: date) -> Payment:
    return Payment(
        payment_id=note.payment_id,
        amount=-sum(shares.values()) - from_credit,
        method=wanted.kind,
        received_on=today,
        posted_at=note.now,
        allocations=tuple(Allocation(statement_id=name, amount=-share) for name, share in shares.items()),
        credit=-from_credit,
        reverses=wanted.payment_id,
        reason=wanted.reason,
        by=note.actor,
    )


def takeback_id(book: AccountBook, payment_id: str) -> str:
    """Always the same for the same part that is taken back at an account: the first, the second."""
    before = sum(1 for other in book.payments if other.reverses == payment_id)
    facts = (book.account.account_id, payment_id, str(before + 1))
    return f"rev_{sha256('\n'.join(facts).encode()).hexdigest()[:24]}"
