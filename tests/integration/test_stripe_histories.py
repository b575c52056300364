"""Any history at Stripe, told in any order and any number of times: the ledger ends as Stripe's, cent by cent."""

from datetime import timedelta
from secrets import token_bytes
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from functions.payment_link.stripe_events import StripeEvent
from functions.payment_link.visits import Desk
from functions.payment_link.webhooks import receive_stripe_event
from local.processor.stripe_objects import StripeApiError, StripeObjects
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.patient_requests import AmountError, WantedPayment, payment_id_of
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook
from shared.storage.held_events import HeldEvents
from shared.storage.links import Links
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.ledger import Ledger
from tests.worlds.properties import tried
from tests.worlds.stripe_clinic import STRIPE

BILLS = {"S-1": 74_60, "S-2": 25_40}
AMOUNTS = st.integers(50, 60_00)
ANY = st.integers(0, 1_000)
PRACTICE = organization(payments=STRIPE)


class StripeHistory(RuleBasedStateMachine):
    """One account with two bills; patients, banks and staff do as they like, and webhooks come as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.told, self.now = Ledger(), list[dict[str, Any]](), NOW
        self.stripe = StripeObjects(self.clock, self.told.append)
        self.ledger.organizations.create(PRACTICE)
        self.issued = new_payment_link(
            org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=30), random=token_bytes
        )
        bills = tuple(bill(name, balance=balance) for name, balance in BILLS.items())
        self.ledger.open(AccountBook(account=account(), bills=bills, links=(self.issued.link,)))
        self.links, self.held = Links(*self.ledger.storage), HeldEvents(*self.ledger.storage)
        self.desk = Desk(self.ledger.books, self.links, self.ledger.organizations)

    @rule(amount=AMOUNTS, one_bill=st.booleans(), way=st.sampled_from(["card", "bank", "decline"]))
    def pays(self, amount: int, one_bill: bool, way: str) -> None:  # noqa: FBT001 - Hypothesis names it
        visit = self.desk.visit(self.issued.token, self.now)
        assert visit is not None
        wanted = WantedPayment(amount=amount, statement_id="S-2" if one_bill else "")
        try:
            reference = self.desk.begin_checkout(visit, wanted, self.now).checkout.reference
        except AmountError:
            return
        ours = {"metadata": {"dunlinReference": reference}}
        price = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Payment"}}
        session = self.stripe.create_session(
            {
                "mode": "payment",
                "success_url": "https://pay.example.com/",
                "line_items": {"0": {"quantity": 1, "price_data": price}},
                "payment_intent_data": ours,
                **ours,
            }
        )
        self.act(lambda: self.stripe.pay(session["id"], way))

    @rule(n=ANY, pays=st.booleans())
    def bank_decides(self, n: int, pays: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        session_id = self.one_of(self.stripe.sessions, n)
        self.act(lambda: (self.stripe.bank_pays if pays else self.stripe.bank_refuses)(session_id))

    @rule(n=ANY, amount=AMOUNTS)
    def practice_refunds(self, n: int, amount: int) -> None:
        payment = self.one_of(self.stripe.payments, n)
        self.act(lambda: self.stripe.refund_at_the_desk(payment, amount))

    @rule(n=ANY)
    def refund_fails(self, n: int) -> None:
        refund = self.one_of(self.stripe.refunds, n)
        self.act(lambda: self.stripe.fail_refund(refund))

    @rule(n=ANY, amount=AMOUNTS)
    def payer_disputes(self, n: int, amount: int) -> None:
        payment = self.one_of(self.stripe.payments, n)
        self.act(lambda: self.stripe.dispute(payment, amount))

    @rule(n=ANY, won=st.booleans())
    def bank_closes_a_dispute(self, n: int, won: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        dispute = self.one_of(self.stripe.disputes, n)
        if self.stripe.disputes.get(dispute, {}).get("status") == "needs_response":
            self.act(lambda: self.stripe.close_dispute(dispute, "won" if won else "lost"))

    @rule(amount=st.integers(1, 50_00))
    def desk_takes_money(self, amount: int) -> None:
        self.now += timedelta(minutes=1)
        received = PaymentReceived(
            payment_id=f"pay_desk_{self.now.isoformat()}", amount=amount, method="check", received_on=self.now.date()
        )
        self.ledger.books.change("org_1", "G-1", lambda book: post_payment(book, PRACTICE, received, self.now, "staff"))

    @precondition(lambda self: self.told)
    @rule(n=ANY)
    def webhook_comes(self, n: int) -> None:
        """Any that was told, again or for the first time."""
        self.hears(self.told[n % len(self.told)])

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        book = self.ledger.book()
        for payment in book.payments:
            assert payment.amount == sum(share.amount for share in payment.allocations) + payment.credit
        assert book.account.credit == sum(payment.credit for payment in book.payments)
        for one in book.bills:
            shares = (share for payment in book.payments for share in payment.allocations)
            got = sum(share.amount for share in shares if share.statement_id == one.statement_id)
            assert (one.balance + got, one.paid) == (BILLS[one.statement_id], got)

    def teardown(self) -> None:
        """All that was told arrives in the end, in its order, and once more the last first."""
        for event in (*self.told, *self.told[::-1]):
            self.hears(event)
        book = self.ledger.book()
        for checkout in book.checkouts:
            payment_id = payment_id_of(checkout.reference)
            own = [one for one in book.payments if payment_id in {one.payment_id, one.reverses}]
            at_stripe = self.stripe.balance_of(checkout.processor_payment) if checkout.processor_payment else 0
            assert sum(one.amount for one in own) - checkout.unposted == at_stripe
        self.every_cent_is_somewhere()

    def clock(self) -> float:
        return self.now.timestamp()

    def act(self, what: Any) -> None:
        """Something happens at Stripe, unless Stripe refuses it; its clock ticks, for it tells of seconds alone."""
        self.now += timedelta(seconds=1)
        try:
            what()
        except StripeApiError:
            return

    def hears(self, event: dict[str, Any]) -> None:
        self.now += timedelta(seconds=1)
        receive_stripe_event(self.desk, self.held, "org_1", StripeEvent.model_validate(event), self.now)

    def one_of(self, known: dict[str, Any], n: int) -> str:
        return list(known)[n % len(known)] if known else "none"


def test_any_history_told_in_any_order_ends_as_stripes_ledger() -> None:
    run_state_machine_as_test(StripeHistory, settings=tried(plain=60, thorough=2_000, steps=30))
