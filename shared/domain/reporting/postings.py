"""An account's postings as reports have them: each cent once, though its bill may have gone to another account."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.paying.account_ledger import PostingKind, posting_kind
from shared.domain.paying.moved_money import PAYMENT_MOVED
from shared.domain.paying.posting import CREDIT
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Allocation, Payment
from shared.domain.vocabulary.money import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingLine:
    """Where one part of a posting went: to a bill, or ("") to the account's credit. Negative: what went back.

    payment_amount: of the whole posting, which is the sum of its lines.
    """

    posted_at: datetime
    payment_id: str
    account_id: str
    kind: PostingKind
    method: str
    reference: str
    reverses: str = ""
    statement_id: str = ""
    amount: Cents
    payment_amount: Cents


def net_postings(book: AccountBook) -> list[Payment]:
    """The account's postings, oldest first, less what went along with bills to other accounts, where it stands too."""
    moves = [payment for payment in book.payments if _moves(book, payment)]
    own = [payment for payment in book.payments if payment not in moves]
    went = _shares_by_origin(moves)
    gone = {share for share, amount in _shares_by_origin(own).items() if amount + went[share] == 0 and share in went}
    net = [_less(payment, went, gone) for payment in own]
    left = [payment for payment in net if payment.allocations or payment.credit]
    return sorted(left, key=lambda payment: (payment.posted_at, payment.payment_id))


type Share = tuple[str, str]
"""What of a payment, with all that took it back, went to a bill: the payment's id, and the statement's."""


def _shares_by_origin(payments: Iterable[Payment]) -> Counter[Share]:
    found = Counter[Share]()
    for payment in payments:
        for share in payment.allocations:
            found[_origin(payment), share.statement_id] += share.amount
    return found


def _origin(payment: Payment) -> str:
    return payment.reverses or payment.payment_id


def posting_lines(posting: Payment, book: AccountBook) -> Iterator[PostingLine]:
    """The lines of a posting, whose sum is its amount (docs/rules.md#posting-lines)."""
    shares = [(share.statement_id, share.amount) for share in posting.allocations]
    for statement_id, amount in (*shares, ("", posting.credit)):
        if amount:
            yield PostingLine(
                posted_at=posting.posted_at,
                payment_id=posting.payment_id,
                account_id=book.account.account_id,
                kind=posting_kind(posting),
                method=posting.method,
                reference=posting.reference,
                reverses=posting.reverses,
                statement_id=statement_id,
                amount=amount,
                payment_amount=posting.amount,
            )


def _moves(book: AccountBook, payment: Payment) -> bool:
    """Whether a posting only says that a share of another, which the account has too, went or came with its bill."""
    return payment.method in {PAYMENT_MOVED, CREDIT} and book.payment(payment.reverses) is not None


def _less(payment: Payment, went: Counter[Share], gone: AbstractSet[Share]) -> Payment:
    """The posting without what went: all of it where a bill took all of a payment and of its refunds along."""
    left = list[Allocation]()
    for share in payment.allocations:
        place = _origin(payment), share.statement_id
        amount = share.amount if payment.reverses else share.amount + went.get(place, 0)
        if amount and place not in gone:
            left.append(replace(share, amount=amount))
    return replace(payment, allocations=tuple(left), amount=sum(share.amount for share in left) + payment.credit)
