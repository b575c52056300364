"""The account book: an account with all that belongs to it, and a change to it.

Every rule reads a book and answers a change; storage applies a change whole or not at all.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from functools import cached_property

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.task import Task
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientClaim:
    """This account has the active Lifetime bill of a patient account from now on; in an organization only one has.

    read_account_id: the account that had it as it was read; "": none. The claim holds only if that is still so.
    """

    patient_account_id: str
    read_account_id: str

    @property
    def subject(self) -> tuple[str, str]:
        """What is claimed: claims of two changes for the same are one."""
        return "patient account", self.patient_account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementClaim:
    """This account was the first to have a statement's bill; in an organization only one was.

    The claim holds only if nobody made it before. It stays as it is when the bill goes to another account: the bill
    itself says where it went.
    """

    statement_id: str

    @property
    def subject(self) -> tuple[str, str]:
        """What is claimed."""
        return "statement", self.statement_id


type Claim = PatientClaim | StatementClaim


@dataclass(frozen=True, kw_only=True)
class AccountBook:
    """An account, its bills, its ledger of notices, its payments and links, as read at one time.

    Each is found by its id in one step, however many there are: an account may have hundreds of bills.
    tasks, claims: those that changes since then made; a book that is read has none.
    search_entries: by what a search finds it, hashed, as it was read.
    """

    account: Account
    bills: tuple[Bill, ...] = ()
    notices: tuple[Notice, ...] = ()
    payments: tuple[Payment, ...] = ()
    links: tuple[PaymentLink, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    history: tuple[HistoryEvent, ...] = ()
    tasks: tuple[Task, ...] = ()
    claims: tuple[Claim, ...] = ()
    search_entries: frozenset[str] = frozenset()

    @property
    def owed(self) -> Cents:
        """What can be paid on its bills, all together."""
        return sum(bill.balance for bill in self.bills if bill.payable)

    @property
    def credit(self) -> Cents:
        """Money that no bill took, and what statements say that the practice owes; of a bill that moved it is there."""
        here = (bill.balance for bill in self.bills if not bill.moved_to)
        return self.account.credit + sum(-balance for balance in here if balance < 0)

    def bill(self, statement_id: str) -> Bill | None:
        """The bill of a statement, if the account has it."""
        return self._bills.get(statement_id)

    def notice(self, notice_id: str) -> Notice | None:
        """The ledger's row of this id, if the account has it."""
        return self._notices.get(notice_id)

    def payment(self, payment_id: str) -> Payment | None:
        """The payment posted under this id, if there is one."""
        return self._payments.get(payment_id)

    def left_of(self, payment: Payment) -> Cents:
        """How much of a payment hasn't been taken back yet, nor gone with a bill to another account."""
        return payment.amount + sum(other.amount for other in self.payments if other.reverses == payment.payment_id)

    def link(self, link_id: str) -> PaymentLink | None:
        """The payment link of this id, if the account has it."""
        return self._links.get(link_id)

    def checkout(self, reference: str) -> Checkout | None:
        """The checkout that a processor's reference names, if it began here."""
        return self._checkouts.get(reference)

    @cached_property
    def _bills(self) -> dict[str, Bill]:
        return {bill.statement_id: bill for bill in self.bills}

    @cached_property
    def _notices(self) -> dict[str, Notice]:
        return {notice.notice_id: notice for notice in self.notices}

    @cached_property
    def _payments(self) -> dict[str, Payment]:
        return {payment.payment_id: payment for payment in self.payments}

    @cached_property
    def _links(self) -> dict[str, PaymentLink]:
        return {link.link_id: link for link in self.links}

    @cached_property
    def _checkouts(self) -> dict[str, Checkout]:
        return {checkout.reference: checkout for checkout in self.checkouts}

    def after(self, change: "Change") -> "AccountBook":
        """The book as a change leaves it, so that the next decision of the same moment can be taken on it."""

        def merged[T](before: tuple[T, ...], written: tuple[T, ...], key: Callable[[T], Hashable]) -> tuple[T, ...]:
            return tuple(({key(item): item for item in before} | {key(item): item for item in written}).values())

        return AccountBook(
            account=change.account,
            bills=merged(self.bills, change.bills, lambda bill: bill.statement_id),
            notices=merged(self.notices, change.notices, lambda notice: notice.notice_id),
            payments=merged(self.payments, change.payments, lambda payment: payment.payment_id),
            links=merged(self.links, change.links, lambda link: link.link_id),
            checkouts=merged(self.checkouts, change.checkouts, lambda checkout: checkout.reference),
            history=(*self.history, *change.history),
            tasks=merged(self.tasks, change.tasks, lambda task: task.task_id),
            claims=merged(self.claims, change.claims, lambda claim: claim.subject),
            search_entries=self.search_entries,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different afterwards: each item whole, in its new state; `tasks` are new ones, or resolved.

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
    tasks: tuple[Task, ...] = ()
    claims: tuple[Claim, ...] = ()

    def then(self, later: "Change") -> "Change":
        """Both changes as one, the later decided on the book as this one leaves it."""
        both = AccountBook(**{field.name: getattr(self, field.name) for field in fields(self)}).after(later)
        return Change(**{field.name: getattr(both, field.name) for field in fields(self)})
