"""Bodies of payments, of what takes them back, and of an account's ledger."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.contracts.bills import AllocationAnswer
from shared.contracts.wire import Day, GivenMoney, Instant, Money, NamedLine, WireModel
from shared.domain.paying.account_ledger import LedgerPosting, PostingKind
from shared.domain.paying.posting import CHARGEBACK
from shared.domain.paying.reversals import REFUND, REVERSAL
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Payment

type PaymentState = Literal["Posted", "Pending", "PartlyReversed", "Reversed", "PartlyRefunded", "Refunded", "Disputed"]


class PaymentDetail(WireModel):
    """A payment, or what takes one back."""

    payment_id: str
    account_id: str
    statement_ids: list[str]
    amount: Money = Field(description="Negative for money that went back; 0.00 where only credit was used.")
    method: str
    reference: str | None = Field(description="The transaction's own id.")
    status: PaymentState
    received_on: Day
    posted_at: Instant
    allocations: list[AllocationAnswer]
    credit: Money = Field(description="What no bill took; negative: what came out of the account's credit.")
    reverses: str | None = Field(description="The payment that this one takes back, or moves along with its bill.")
    reason: str | None
    by: str | None

    @classmethod
    def of(cls, payment: Payment, book: AccountBook) -> "PaymentDetail":
        """A payment as stored, with what became of it."""
        return cls(
            payment_id=payment.payment_id,
            account_id=book.account.account_id,
            statement_ids=[share.statement_id for share in payment.allocations],
            amount=payment.amount,
            method=payment.method,
            reference=payment.transaction_id or None,
            status=_state(payment, book),
            received_on=payment.received_on,
            posted_at=payment.posted_at,
            allocations=[
                AllocationAnswer(statement_id=share.statement_id, amount=share.amount) for share in payment.allocations
            ],
            credit=payment.credit,
            reverses=payment.reverses or None,
            reason=payment.reason or None,
            by=payment.by or None,
        )


def _state(payment: Payment, book: AccountBook) -> PaymentState:
    """What became of a payment by now. Pending: a refund was asked for that the processor hasn't told of yet."""
    checkout = book.checkout(payment.transaction_id)
    if checkout and not payment.reverses and checkout.refund_pending:
        return "Pending"
    ways = {REFUND, REVERSAL, CHARGEBACK}
    back = [other for other in book.payments if other.reverses == payment.payment_id and other.method in ways]
    sums = {way: -sum(other.amount for other in back if other.method == way) for way in ways}
    whole = book.left_of(payment) <= 0
    if sums[CHARGEBACK] > 0:
        return "Disputed"
    if sums[REFUND] > 0:
        return "Refunded" if whole else "PartlyRefunded"
    if sums[REVERSAL] > 0:
        return "Reversed" if whole else "PartlyReversed"
    return "Posted"


class PaymentsPage(WireModel):
    """A page of payments, by the day received, oldest first."""

    items: list[PaymentDetail]
    next_cursor: str | None


class ReversalBody(WireModel):
    """Why a payment at the desk is taken back."""

    reason: Annotated[NamedLine, Field(max_length=200)]


def _positive(amount: int) -> int:
    if amount <= 0:
        raise ValueError("must be more than 0.00")
    return amount


class RefundBody(WireModel):
    """Why, and how much of, a payment online is given back."""

    amount: Annotated[GivenMoney, AfterValidator(_positive)] | None = Field(
        default=None, description="Default: all that is left of it."
    )
    reason: Annotated[NamedLine, Field(max_length=200)]


class LedgerPostingAnswer(WireModel):
    """One posting of an account."""

    at: Instant
    kind: PostingKind
    statement_id: str | None = Field(description="null: the account's credit.")
    method: str | None
    amount: Money = Field(description="Positive for what raises the balance.")
    balance: Money = Field(description="What the account owes after it, less its credit.")
    reference: str | None
    by: str | None

    @classmethod
    def of(cls, posting: LedgerPosting) -> "LedgerPostingAnswer":
        """A posting as the ledger has it."""
        return cls(
            at=posting.at,
            kind=posting.kind,
            statement_id=posting.statement_id or None,
            method=posting.method or None,
            amount=posting.amount,
            balance=posting.balance,
            reference=posting.reference or None,
            by=posting.by or None,
        )


class LedgerPage(WireModel):
    """A page of an account's postings, oldest first."""

    items: list[LedgerPostingAnswer]
    next_cursor: str | None
