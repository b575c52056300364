"""Whatever comes and goes back, in any order: every cent counts once, and no credit lies beside an open bill."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.intake.moving import depart
from shared.domain.paying.account_ledger import account_ledger
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.moved_bills import MovedBill, complete_moved_checkout
from shared.domain.paying.patient_requests import AmountError, MoneyTaken, WantedPayment, begin_checkout, payment_id_of
from shared.domain.paying.payments import PaymentReceived, exceeds_what_was_paid, post_payment
from shared.domain.paying.posting import standing_bill
from shared.domain.paying.reversals import REFUND, REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.statement import Guarantor
from shared.domain.vocabulary.money import dollars
from tests.unit.domain.test_intake import Desk

AMOUNTS = st.integers(1, 120_00)
NAMES = st.integers(0, 9)
PERSONS: dict[str, dict[str, Any]] = {
    "G-1": {},
    "G-2": {
        "guarantor__firstName": "Boris",
        "guarantor__lastName": "Sample",
        "guarantor__dateOfBirth": "1961-04-05",
        "guarantor__email": "boris@example.com",
        "guarantor__mobilePhone": "518-555-0177",
        "guarantor__address": {"line1": "2 Second Street", "city": "Troy", "state": "NY", "postalCode": "12180"},
    },
    "G-3": {},
}
"""Two keys of one person, and another person's."""


class Money(RuleBasedStateMachine):
    """Three accounts: bills that go from one to another, money at the desk and by links, twice, and back."""

    def __init__(self) -> None:
        super().__init__()
        self.desks = {account_id: Desk() for account_id in PERSONS}
        self.billed = 0
        self.bills = 0
        self.posted = 0
        self.checkouts = list[tuple[str, str, int]]()

    @property
    def open_desks(self) -> list[Desk]:
        return [desk for desk in self.desks.values() if desk.book]

    def desk_named(self, name: int) -> Desk:
        return self.open_desks[name % len(self.open_desks)]

    def standing(self) -> list[tuple[Desk, Bill]]:
        """Each bill where it is."""
        return [(desk, bill) for desk in self.open_desks for bill in desk.known.bills if not bill.moved_to]

    def apply(self, desk: Desk, change: Change | None) -> None:
        """What was decided is stored, in a version of its own."""
        desk.apply(change)
        account = desk.known.account
        desk.book = replace(desk.known, account=replace(account, version=account.version + 1))

    @rule(amount=AMOUNTS, account_id=st.sampled_from(list(PERSONS)))
    def a_bill_comes(self, amount: int, account_id: str) -> None:
        self.bills += 1
        self.sent_to(account_id, f"S-{self.bills}", amount)
        self.billed += amount

    def sent_to(self, account_id: str, statement_id: str, balance: int, *departures: Any) -> None:
        desk = self.desks[account_id]
        desk.now = max(each.now for each in self.desks.values()) + timedelta(hours=1)
        told = {"guarantor__guarantorId": account_id, "statementDate": None, "totalBalance": dollars(balance)}
        desk.takes(statement_id, departures=departures, **told | PERSONS[account_id])
        self.apply(desk, None)

    @precondition(lambda self: self.open_desks)
    @rule(name=NAMES, account_id=st.sampled_from(list(PERSONS)))
    def a_bill_goes_to_another_account(self, name: int, account_id: str) -> None:
        desk, bill = self.standing()[name % len(self.standing())]
        to = self.guarantor_of(account_id)
        if desk is self.desks[account_id] or to is None or bill.balance <= 0 or not bill.open:
            return
        desk.now = self.desks[account_id].now
        departure = depart(desk.known, [bill.statement_id], to, account_id, desk.delivery())
        assert departure is not None
        self.sent_to(account_id, bill.statement_id, bill.balance, departure)
        self.apply(desk, departure.left)

    def guarantor_of(self, account_id: str) -> Guarantor | None:
        book = self.desks[account_id].book
        return book.account.guarantor if book else None

    @precondition(lambda self: self.open_desks)
    @rule(amount=AMOUNTS, name=NAMES, is_named=st.booleans(), back=st.booleans())
    def money_comes_to_the_desk_or_goes_back(self, *, amount: int, name: int, is_named: bool, back: bool) -> None:
        desk, bill = self.standing()[name % len(self.standing())]
        self.posted += 1
        received = PaymentReceived(
            payment_id=f"pay_{self.posted}",
            amount=-amount if back else amount,
            method="cash",
            received_on=desk.now.date(),
            statement_id=bill.statement_id if is_named or back else "",
        )
        if not exceeds_what_was_paid(desk.known, received):
            self.apply(desk, post_payment(desk.known, desk.organization, received, desk.now, "test"))

    @precondition(lambda self: self.open_desks)
    @rule(name=NAMES)
    def somebody_goes_to_the_processor(self, name: int) -> None:
        desk = self.desk_named(name)
        self.posted += 1
        reference = f"dln_{self.posted}"
        lives = timedelta(days=30)
        owner: dict[str, Any] = {"org_id": "org_1", "account_id": desk.known.account.account_id}
        link = new_payment_link(**owner, now=desk.now, lives=lives, random=bytes, notice_id="", sent_to="a***").link
        try:
            begun = begin_checkout(desk.known, link, WantedPayment(amount=None), reference, desk.now)
        except AmountError:
            return
        self.apply(desk, Change(account=desk.known.account, links=(link,), checkouts=(begun,)))
        self.checkouts.append((desk.known.account.guarantor.guarantor_id, reference, begun.amount))

    @precondition(lambda self: self.checkouts)
    @rule(name=NAMES)
    def the_processor_took_the_money(self, name: int) -> None:
        """Told once or again; paid elsewhere meanwhile, or not."""
        account_id, reference, amount = self.checkouts[name % len(self.checkouts)]
        desk = self.desks[account_id]
        known = desk.known.payment(payment_id_of(reference)) is not None
        moved = self.moved_from(desk)
        taken = MoneyTaken(amount=amount)
        changes = complete_moved_checkout(desk.known, moved, desk.organization, reference, taken, desk.now)
        assert bool(changes) is not known
        for change in changes:
            self.apply(self.desks[change.account.account_id], change)

    def moved_from(self, desk: Desk) -> list[MovedBill]:
        found = list[MovedBill]()
        for stub in (bill for bill in desk.known.bills if bill.moved_to):
            for other in self.open_desks:
                there = standing_bill(other.known, stub.statement_id)
                if other is not desk and there is not None:
                    found.append(MovedBill(stub=stub, book=other.known, there=there))
        return found

    @precondition(lambda self: any(desk.known.payments for desk in self.open_desks))
    @rule(name=NAMES, kind=st.sampled_from([REVERSAL, REFUND]), part=st.none() | AMOUNTS)
    def a_payment_is_taken_back(self, name: int, kind: str, part: int | None) -> None:
        payments = [(desk, payment) for desk in self.open_desks for payment in desk.known.payments]
        desk, payment = payments[name % len(payments)]
        desk.now += timedelta(hours=1)
        wanted = Takeback(payment_id=payment.payment_id, kind=kind, reason="test", amount=part)
        try:
            change, _ = take_back(desk.known, desk.organization, wanted, desk.now, "test")
        except ReversalRefusedError:
            return
        self.apply(desk, change)

    @invariant()
    def every_cent_is_counted_once(self) -> None:
        """In each account by its ledger, and in all of them by what was billed and what came."""
        came = sum(payment.amount for desk in self.open_desks for payment in desk.known.payments)
        assert sum(map(owed, self.open_desks)) == self.billed - came
        for desk in self.open_desks:
            ledger = account_ledger(desk.known, {}, desk.organization)
            assert (ledger[-1].balance if ledger else 0) == owed(desk)

    @invariant()
    def each_posting_adds_up(self) -> None:
        for payment in (payment for desk in self.open_desks for payment in desk.known.payments):
            assert payment.amount == sum(share.amount for share in payment.allocations) + payment.credit

    @invariant()
    def no_more_goes_back_than_came(self) -> None:
        for desk in self.open_desks:
            came = (payment for payment in desk.known.payments if payment.amount > 0 and not payment.reverses)
            assert all(desk.known.left_of(payment) >= 0 for payment in came)

    @invariant()
    def nobody_is_asked_for_what_a_credit_covers(self) -> None:
        for desk in self.open_desks:
            if desk.known.account.credit > 0:
                assert not any(bill.open for bill in desk.known.bills)


def owed(desk: Desk) -> int:
    book: AccountBook = desk.known
    return sum(bill.balance for bill in book.bills if not bill.moved_to) - book.account.credit


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
