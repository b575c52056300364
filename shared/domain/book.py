"""The account book: an account with all that belongs to it, and a change to it.

Every rule reads a book and answers a change; storage applies a change whole or not at all.
"""

from dataclasses import dataclass

from shared.domain.account import Account
from shared.domain.bill import Bill
from shared.domain.history import HistoryEvent
from shared.domain.notice import Notice
from shared.domain.payment import Payment
from shared.domain.payment_link import Checkout, PaymentLink


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
