"""The account book: an account with all that belongs to it, and a change to it.

Every rule reads a book and answers a change; storage applies a change whole or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.history import HistoryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """An account, its bills, its ledger of notices, its payments and links, as read at one time."""

    account: Account
    bills: tuple[Bill, ...] = ()
    notices: tuple[Notice, ...] = ()
    payments: tuple[Payment, ...] = ()
    links: tuple[PaymentLink, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    history: tuple[HistoryEvent, ...] = ()

    def bill(self, statement_id: str) -> Bill | None:
        """The bill of a statement, if the account has it."""
        return next((bill for bill in self.bills if bill.statement_id == statement_id), None)

    def after(self, change: "Change") -> "AccountBook":
        """The book as a change leaves it, so that the next decision of the same moment can be taken on it."""

        def merged[T](before: tuple[T, ...], written: tuple[T, ...], key: Callable[[T], str]) -> tuple[T, ...]:
            return tuple(({key(item): item for item in before} | {key(item): item for item in written}).values())

        return AccountBook(
            account=change.account,
            bills=merged(self.bills, change.bills, lambda bill: bill.statement_id),
            notices=merged(self.notices, change.notices, lambda notice: notice.notice_id),
            payments=merged(self.payments, change.payments, lambda payment: payment.payment_id),
            links=merged(self.links, change.links, lambda link: link.link_id),
            checkouts=merged(self.checkouts, change.checkouts, lambda checkout: checkout.reference),
            history=(*self.history, *change.history),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different afterwards: each item whole, in its new state.

    It is applied in one transaction on condition that the account still has the version that the book was read at;
    whoever changes an account sets its `planning_at`, because only the scheduler's plan may let it rest.
    """

    account: Account
    bills: tuple[Bill, ...] = ()
    notices: tuple[Notice, ...] = ()
    payments: tuple[Payment, ...] = ()
    links: tuple[PaymentLink, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    history: tuple[HistoryEvent, ...] = ()

    def then(self, later: "Change") -> "Change":
        """Both changes as one, the later decided on the book as this one leaves it."""
        both = AccountBook(**{field.name: getattr(self, field.name) for field in fields(self)}).after(later)
        return Change(**{field.name: getattr(both, field.name) for field in fields(both)})
