"""What partners, patients and staff do to accounts while reminders are on their way."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.account.account_changes import change_account
from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.intake.arrival import Arrival, IntakeContext
from shared.domain.intake.receive import receive_statement
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import BillType
from shared.storage.account_books import AccountBooks, NoSuchAccountError
from tests.worlds.delivery_functions import GIVEN_UP
from tests.worlds.delivery_promises import STAFF
from tests.worlds.dunning_practice import a_statement
from tests.worlds.dunning_world import a_guarantor

ORG = "org_1"


@dataclass(frozen=True, slots=True)
class Billed:
    """A statement comes: which one of its account, and what is left to pay, in cents."""

    n: int
    balance: int


type AccountEvent = Billed | int | str | dict[str, Any]
"""What may happen to an account: a statement, a payment of so many cents, another email, or fields that staff set."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One change at one time. `name` makes its statement or payment one of its own."""

    books: AccountBooks
    organization: Organization
    now: datetime
    name: str = ""

    def happens(self, account_id: str, event: AccountEvent) -> None:
        """An account is changed, unless its services fail, or it isn't there."""
        with suppress(NoSuchAccountError, *GIVEN_UP):
            if isinstance(event, Billed):
                self._statement(account_id, event)
            else:
                self.books.change(ORG, account_id, lambda book: self._decided(book, event))

    def acts(self, notice: Notice, action: QueueAction, *, opt_out: bool) -> None:
        """Staff do something with a notice, if it is possible."""
        with suppress(ActionRefusedError, *GIVEN_UP):
            self.books.change(
                ORG,
                notice.account_id,
                lambda book: act(book, notice.notice_id, action, self.now, STAFF, opt_out=opt_out),
            )

    def _decided(self, book: AccountBook, event: int | str | dict[str, Any]) -> Change | None:
        if isinstance(event, int):
            today = self.now.astimezone(self.organization.zone).date()
            money = PaymentReceived(payment_id=self.name, amount=event, method="cash", received_on=today)
            return post_payment(book, self.organization, money, self.now, STAFF)
        if isinstance(event, str):
            guarantor = replace(book.account.guarantor, email=event)
            event = {"guarantor": guarantor, "undeliverable": frozenset()}
        return change_account(book, replace(book.account, **event), self.now, STAFF)

    def _statement(self, account_id: str, billed: Billed) -> None:
        guarantor = a_guarantor(guarantor_id=account_id, mobile_phone=f"+1212555010{account_id[-1]}")
        statement = a_statement(f"S-{account_id[-1]}{billed.n}", guarantor, billed.balance, message=self.name)
        zones = (self.organization.time_zone,)
        arrival = Arrival(statement=statement, document=repr(statement).encode(), time_zones=zones)
        delivery = IntakeContext(
            organization=self.organization, bill_type=BillType.EPISODIC, ingestion_id=self.name, now=self.now
        )
        received = receive_statement(self.books.load(ORG, account_id), arrival, delivery)
        if received.change:
            self.books.commit(received.change)
