"""Money whose bill goes to another account: it stands in both ledgers, and counts once (docs/rules.md#goes-along).

No posting is edited. A bill's share of a payment is taken out of the one ledger and brought into the other.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256

from shared.domain.paying.credit import PRACTICE_FIGURE
from shared.domain.paying.posting import CREDIT
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Allocation, Payment
from shared.domain.vocabulary.money import Cents

PAYMENT_MOVED = "moved with its bill"
CREDIT_MOVED = "credit moved with the guarantor"
"""The methods of the postings by which money goes from one account's ledger to another's."""

NO_MONEY = frozenset({CREDIT, CREDIT_MOVED, PRACTICE_FIGURE})
"""Methods of postings by which no money comes in or goes out."""

OUR_METHODS = NO_MONEY | {PAYMENT_MOVED}
"""Methods that are ours alone: what rules make of such a posting they don't make of money that somebody took."""


def shares_of(book: AccountBook, statement_ids: AbstractSet[str]) -> tuple[Payment, ...]:
    """The account's payments, as far as they went to these bills."""
    found = list[Payment]()
    for payment in book.payments:
        shares = tuple(share for share in payment.allocations if share.statement_id in statement_ids)
        amount = sum(share.amount for share in shares)
        if shares:
            found.append(replace(payment, amount=amount, allocations=shares, credit=0, link_id=""))
    return tuple(found)


def taken_out(share: Payment, book: AccountBook, to_account_id: str, now: datetime) -> Payment:
    """The posting that takes a payment's share out of a ledger, because its bill is another account's by now.

    It is of that payment (`reverses`), so that what went can't be taken back here too.
    """
    return replace(
        share,
        payment_id=_posting_id("mvp", book, share.payment_id, to_account_id),
        amount=-share.amount,
        method=_moved_method(share),
        posted_at=now,
        transaction_id="",
        allocations=tuple(
            Allocation(statement_id=each.statement_id, amount=-each.amount) for each in share.allocations
        ),
        link_id="",
        reverses=share.reverses or share.payment_id,
        reason="",
    )


def brought_in(share: Payment, book: AccountBook) -> Payment:
    """A payment's share in the ledger that its bill goes to: under its own id, by which a repeat is known.

    Where it was here before it comes back as a posting of its own, which belongs to that payment as its going did: so
    what was taken back of it meanwhile can't be taken back again.
    """
    if book.payment(share.payment_id) is None:
        return share
    return replace(
        share,
        payment_id=_posting_id("mvp", book, share.payment_id),
        method=_moved_method(share),
        reverses=share.reverses or share.payment_id,
    )


def _moved_method(share: Payment) -> str:
    """A bill that credit paid is paid by credit wherever it goes, so that the credit is known as used there."""
    return CREDIT if share.method == CREDIT else PAYMENT_MOVED


def credit_moved(book: AccountBook, other_account_id: str, amount: Cents, now: datetime, today: date) -> Payment:
    """The posting of a credit that comes from another account, or goes there (negative)."""
    return Payment(
        payment_id=_posting_id("mvc", book, other_account_id, str(amount)),
        amount=amount,
        method=CREDIT_MOVED,
        received_on=today,
        posted_at=now,
        credit=amount,
    )


def _posting_id(kind: str, book: AccountBook, *causes: str) -> str:
    """The id of a posting that a move makes: another one with each version of the account, else always the same."""
    facts = (book.account.account_id, str(book.account.version), *causes)
    return f"{kind}_{sha256('\n'.join(facts).encode()).hexdigest()[:24]}"
