"""Whatever comes and goes back, in any order: every cent counts once, and no credit lies beside an open bill."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.paying.account_ledger import account_ledger
from shared.domain.paying.payments import PaymentReceived, exceeds_what_was_paid, post_payment
from shared.domain.paying.reversals import REFUND, REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.money import dollars
from tests.unit.domain.test_intake import Desk

AMOUNTS = st.integers(1, 120_00)
NAMES = st.integers(0, 9)


class Money(RuleBasedStateMachine):
    """An account: bills, payments at the desk and online, double payments, money that goes back, what takes it back."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.billed = 0
        self.posted = 0

    @property
    def book(self) -> AccountBook:
        return self.desk.known

    def bill_named(self, name: int) -> str:
        return self.book.bills[name % len(self.book.bills)].statement_id

    @rule(amount=AMOUNTS)
    def a_bill_comes(self, amount: int) -> None:
        number = 1 + (len(self.book.bills) if self.desk.book else 0)
        self.desk.takes(f"S-{number}", days=1, statementDate=None, totalBalance=dollars(amount))
        self.billed += amount

    @precondition(lambda self: self.desk.book)
    @rule(amount=AMOUNTS, name=NAMES, is_named=st.booleans(), online=st.booleans(), back=st.booleans())
    def money_comes_or_goes_back(self, *, amount: int, name: int, is_named: bool, online: bool, back: bool) -> None:
        self.posted += 1
        received = PaymentReceived(
            payment_id=f"pay_dln_{self.posted}" if online else f"pay_{self.posted}",
            amount=-amount if back else amount,
            method="card" if online else "cash",
            received_on=self.desk.now.date(),
            statement_id=self.bill_named(name) if is_named or back else "",
            link_id="lnk_1" if online and not back else "",
        )
        if not exceeds_what_was_paid(self.book, received):
            self.desk.apply(post_payment(self.book, self.desk.organization, received, self.desk.now, "test"))

    @precondition(lambda self: self.desk.book and self.book.payments)
    @rule(name=NAMES, kind=st.sampled_from([REVERSAL, REFUND]), part=st.none() | AMOUNTS)
    def a_payment_is_taken_back(self, name: int, kind: str, part: int | None) -> None:
        payment = self.book.payments[name % len(self.book.payments)]
        self.desk.now += timedelta(hours=1)
        wanted = Takeback(payment_id=payment.payment_id, kind=kind, reason="test", amount=part)
        try:
            change, _ = take_back(self.book, self.desk.organization, wanted, self.desk.now, "test")
        except ReversalRefusedError:
            return
        self.desk.apply(change)

    @invariant()
    def every_cent_is_counted_once(self) -> None:
        if self.desk.book:
            owed = sum(bill.balance for bill in self.book.bills) - self.book.account.credit
            assert owed == self.billed - sum(payment.amount for payment in self.book.payments)
            assert account_ledger(self.book, {}, self.desk.organization)[-1].balance == owed

    @invariant()
    def each_posting_adds_up(self) -> None:
        for payment in self.book.payments if self.desk.book else ():
            assert payment.amount == sum(share.amount for share in payment.allocations) + payment.credit

    @invariant()
    def nobody_is_asked_for_what_a_credit_covers(self) -> None:
        if self.desk.book and self.book.account.credit > 0:
            assert not any(bill.open for bill in self.book.bills)


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
