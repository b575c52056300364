"""Payments that are taken back: both postings stand, nothing is edited, and every cent is counted once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.paying.account_ledger import PostingKind, account_ledger
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.reversals import REFUND, REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.words import BillStatus
from tests.worlds.examples import NOW, bill, book, organization, the

DESK, ONLINE = "pay_1", "pay_dln_1"
LATER = NOW + timedelta(days=1)


def after_paying(amount: int, payment_id: str = DESK, before: AccountBook | None = None) -> AccountBook:
    received = PaymentReceived(
        payment_id=payment_id, amount=amount, method="cash", received_on=NOW.date(), statement_id="S-1"
    )
    change = post_payment(before or book(), organization(), received, NOW, "test")
    assert change is not None
    return (before or book()).after(change)


def taken_back(
    before: AccountBook, kind: str = REVERSAL, payment_id: str = DESK, amount: int | None = None
) -> AccountBook:
    wanted = Takeback(payment_id=payment_id, kind=kind, reason="typed twice", amount=amount)
    return before.after(take_back(before, organization(), wanted, LATER, "key:k1")[0])


def two_bills() -> AccountBook:
    return book(bills=(bill("S-1"), bill("S-2", balance=20_00, created_at=NOW + timedelta(hours=1))))


def cents_of(found: AccountBook) -> int:
    return sum(one.balance for one in found.bills) - found.account.credit + sum(one.amount for one in found.payments)


def test_a_reversed_payment_is_owed_again_and_both_postings_stand() -> None:
    before = after_paying(74_60)
    after = taken_back(before)
    assert (the(after).status, the(after).balance, the(after).paid) == (BillStatus.DUE, 74_60, 0)
    first, second = after.payments
    assert first == before.payments[0]
    assert (second.amount, second.reverses, second.reason, second.by) == (-74_60, DESK, "typed twice", "key:k1")
    assert after.account.planning_at == LATER


@pytest.mark.parametrize("amount", [80_00, 94_60, 120_00])
def test_the_credit_that_it_left_goes_back_first_wherever_it_was_used(amount: int) -> None:
    before = after_paying(amount, before=two_bills())
    after = taken_back(before)
    assert ([one.balance for one in after.bills], after.account.credit) == ([74_60, 20_00], 0)
    assert cents_of(after) == cents_of(two_bills())


def test_a_refund_in_part_takes_the_surplus_first_and_then_the_bill() -> None:
    before = after_paying(80_00, ONLINE)
    once = taken_back(before, REFUND, ONLINE, 5_40)
    assert (the(once).balance, once.account.credit) == (0, 0)
    twice = taken_back(once, REFUND, ONLINE, 10_00)
    assert (the(twice).balance, the(twice).status) == (10_00, BillStatus.DUE)
    whole = taken_back(twice, REFUND, ONLINE)
    assert (the(whole).balance, sum(one.amount for one in whole.payments)) == (74_60, 0)
    assert len({one.payment_id for one in whole.payments}) == 4


@pytest.mark.parametrize(
    ("payment_id", "kind", "amount"),
    [(DESK, REFUND, None), (ONLINE, REVERSAL, None), (ONLINE, REFUND, 74_61), ("pay_none", REVERSAL, None)],
)
def test_what_cannot_be_taken_back_is_refused(payment_id: str, kind: str, amount: int | None) -> None:
    before = after_paying(74_60, DESK if kind == REFUND and amount is None else payment_id.replace("none", "x"))
    with pytest.raises(ReversalRefusedError):
        taken_back(before, kind, payment_id, amount)


def test_nothing_is_taken_back_twice_nor_what_takes_back() -> None:
    after = taken_back(after_paying(74_60))
    for payment_id in (DESK, after.payments[-1].payment_id):
        with pytest.raises(ReversalRefusedError):
            taken_back(after, payment_id=payment_id)


def test_a_use_of_credit_cannot_be_taken_back_by_itself() -> None:
    before = after_paying(80_00, before=two_bills())
    with pytest.raises(ReversalRefusedError):
        taken_back(before, payment_id=before.payments[-1].payment_id)


def test_a_bill_that_went_to_another_account_keeps_its_payment() -> None:
    before = after_paying(74_60)
    gone = replace(before, bills=(replace(the(before), moved_to="G-2", status=BillStatus.CANCELLED),))
    with pytest.raises(ReversalRefusedError):
        taken_back(gone)


def test_the_ledger_shows_every_posting_and_ends_at_what_is_owed() -> None:
    after = taken_back(after_paying(80_00, before=two_bills()))
    ledger = account_ledger(after, {}, organization())
    assert [posting.kind for posting in ledger[:2]] == [PostingKind.CHARGE, PostingKind.PAYMENT]
    assert {posting.kind for posting in ledger} == {
        PostingKind.CHARGE,
        PostingKind.PAYMENT,
        PostingKind.CREDIT,
        PostingKind.REVERSAL,
    }
    assert ledger[-1].balance == 94_60 - after.account.credit
    assert [one.balance for one in ledger] == [
        sum(other.amount for other in ledger[: n + 1]) for n, _ in enumerate(ledger)
    ]
