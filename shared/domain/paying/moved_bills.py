"""Bills that went to another account, as those see them who were about to pay: by link, or at the processor.

A payment under way posts to its bill where that is by then. Of the other account nothing is shown but what is owed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.paying.credit import use_credit
from shared.domain.paying.moved_money import taken_out
from shared.domain.paying.patient_requests import MoneyTaken, complete_checkout
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import CreditUse


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedBill:
    """A bill that went to another account. stub: as it stayed behind; there: what it is by now, or what replaced it."""

    stub: Bill
    book: AccountBook
    there: Bill

    @property
    def seen(self) -> Bill:
        """The bill as it was sent to whoever had it, with what is owed by now."""
        return replace(
            self.stub,
            status=self.there.status,
            status_reason=self.there.status_reason,
            balance=self.there.balance,
            paid=self.there.paid,
            last_payment_at=self.there.last_payment_at,
            posted_transactions=self.there.posted_transactions,
            moved_to="",
        )


def moved_at(stub: Bill) -> datetime | None:
    """When a bill last went to another account; None: it didn't."""
    return max((event.at for event in stub.history if event.event == "BillMoved"), default=None)


def as_if_here(book: AccountBook, moved: Iterable[MovedBill]) -> AccountBook:
    """The book with bills that went elsewhere as they are now. Of several that became one, the first stands for it."""
    by_place = {(each.book.account.account_id, each.there.statement_id): each for each in reversed(list(moved))}
    seen = {each.stub.statement_id: each.seen for each in by_place.values()}
    return replace(book, bills=tuple(seen.get(bill.statement_id, bill) for bill in book.bills))


def complete_moved_checkout(
    book: AccountBook,
    moved: Iterable[MovedBill],
    organization: Organization,
    reference: str,
    taken: MoneyTaken,
    now: datetime,
) -> list[Change]:
    """Post what the processor took for a checkout, some of whose bills are in other accounts by now.

    Answers a change for each account; none: it is posted already. The money stands in the ledger of whoever paid, who
    gets the receipt, and goes on from there to the bill's.
    """
    gone = {each.stub.statement_id: each for each in moved}
    # What is beyond all of it pays bills that are here, not those that are seen as if they were.
    kept_credit = replace(organization, credit_use=CreditUse.KEEP)
    change = complete_checkout(as_if_here(book, gone.values()), kept_credit, reference, taken, now)
    if change is None:
        return []
    changes, gone_on = dict[str, Change](), list[Payment]()
    for payment in change.payments:
        for account_id, shares in _by_account(payment, gone).items():
            brought = replace(payment, amount=sum(share.amount for share in shares), allocations=shares, credit=0)
            gone_on.append(taken_out(brought, book, account_id, now))
            before = changes.get(account_id, Change(account=gone[shares[0].statement_id].book.account))
            other = gone[shares[0].statement_id].book.after(before)
            changes[account_id] = before.then(_posted(other, organization, brought, gone, now))
    kept = tuple(bill for bill in change.bills if bill.statement_id not in gone)
    own = replace(change, bills=kept, payments=(*change.payments, *gone_on))
    used = use_credit(book.after(own), organization, now, Actor.PROCESSOR)
    return [own.then(used) if used else own, *changes.values()]


def _by_account(payment: Payment, gone: Mapping[str, MovedBill]) -> dict[str, tuple[Allocation, ...]]:
    """The shares of bills that went elsewhere, by the account that has them now."""
    found = dict[str, tuple[Allocation, ...]]()
    for share in payment.allocations:
        if share.statement_id in gone:
            account_id = gone[share.statement_id].book.account.account_id
            found[account_id] = (*found.get(account_id, ()), share)
    return found


def _posted(
    book: AccountBook, organization: Organization, brought: Payment, gone: Mapping[str, MovedBill], now: datetime
) -> Change:
    """What a payment's shares do to the account that has their bills now. The link and its receipt are the payer's."""
    whole = Change(account=book.account)
    for n, share in enumerate(brought.allocations):
        received = PaymentReceived(
            payment_id=brought.payment_id if n == 0 else f"{brought.payment_id}_{n}",
            amount=share.amount,
            method=brought.method,
            received_on=brought.received_on,
            transaction_id=brought.transaction_id,
            statement_id=gone[share.statement_id].there.statement_id,
        )
        posted = post_payment(book.after(whole), organization, received, now, Actor.PROCESSOR)
        whole = whole.then(posted) if posted else whole
    return whole
