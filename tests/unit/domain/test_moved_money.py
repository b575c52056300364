"""Money whose bill goes to another account: taken back once, shown once, and a used credit stays known as used."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.account.erasure import still_needed
from shared.domain.account.summary import summarized
from shared.domain.intake.arrival import IntakeContext
from shared.domain.intake.moving import arrive, depart
from shared.domain.paying.account_ledger import payments_on
from shared.domain.paying.credit import replace_credit, use_credit
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.reversals import REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.words import BillStatus, BillType
from tests.worlds.examples import NOW, account, bill, book, organization, the

CONTEXT = IntakeContext(organization=organization(), bill_type=BillType.EPISODIC, ingestion_id="ing_1", now=NOW)
BACK = Takeback(payment_id="pay_1", kind=REVERSAL, reason="typed twice")


def other_account(*, same: bool) -> AccountBook:
    who = account(account_id="G-2").guarantor
    stranger: dict[str, Any] = {"first_name": "Lou", "last_name": "Other", "date_of_birth": None, "address": None}
    stranger |= {"email": "", "mobile_phone": ""}
    named = replace(who, guarantor_id="G-2", **({} if same else stranger))
    return AccountBook(account=replace(account(account_id="G-2"), guarantor=named))


def moved(here: AccountBook, there: AccountBook) -> tuple[AccountBook, AccountBook]:
    """S-1 goes there: both books afterwards, each in its next version."""
    departure = depart(here, ["S-1"], there.account.guarantor, there.account.account_id, CONTEXT)
    assert departure is not None
    after = here.after(departure.left), there.after(arrive(there, departure, CONTEXT))
    first, second = (replace(each, account=replace(each.account, version=each.account.version + 1)) for each in after)
    return first, second


def paid(amount: int = 20_00) -> AccountBook:
    received = PaymentReceived(
        payment_id="pay_1", amount=amount, method="cash", received_on=NOW.date(), statement_id="S-1"
    )
    change = post_payment(book(), organization(), received, NOW, "test")
    assert change is not None
    return book().after(change)


def test_a_payment_that_went_and_came_back_is_shown_once_and_taken_back_here() -> None:
    here, there = moved(paid(), other_account(same=False))
    with pytest.raises(ReversalRefusedError):
        take_back(here, organization(), BACK, NOW, "test")
    there, here = moved(there, here)
    assert [(payment.payment_id, share) for payment, share in payments_on(here, the(here))] == [("pay_1", 20_00)]
    change, _ = take_back(here, organization(), BACK, NOW, "test")
    assert (the(here.after(change)).balance, the(here.after(change)).paid) == (74_60, 0)


def test_a_payment_that_was_taken_back_elsewhere_is_not_taken_back_again_here() -> None:
    here, there = moved(paid(), other_account(same=False))
    there = there.after(take_back(there, organization(), BACK, NOW, "test")[0])
    _, here = moved(there, here)
    for payment in here.payments:
        with pytest.raises(ReversalRefusedError):
            take_back(here, organization(), replace(BACK, payment_id=payment.payment_id), NOW, "test")


@pytest.mark.parametrize("same", [True, False])
def test_a_practices_figure_that_counts_a_credit_which_went_along_brings_it_not_twice(same: bool) -> None:  # noqa: FBT001 - a parameter
    with_credit = book(account=account(credit=5_00), bills=(bill(),))
    used = use_credit(with_credit, organization(), NOW, "test")
    assert used is not None
    here, there = moved(with_credit.after(used), other_account(same=same))
    assert the(there).balance == 74_60 - 5_00
    assert [replace_credit(each, organization(), 5_00, NOW) for each in (here, there)] == [None, None]


def test_a_payment_of_two_bills_is_taken_back_for_the_one_that_stayed() -> None:
    two = book(bills=(bill("S-1"), bill("S-2")))
    received = PaymentReceived(payment_id="pay_1", amount=100_00, method="cash", received_on=NOW.date())
    change = post_payment(two, organization(), received, NOW, "test")
    assert change is not None
    here, _ = moved(two.after(change), other_account(same=False))
    after = here.after(take_back(here, organization(), BACK, NOW, "test")[0])
    assert the(after, "S-2").balance == 74_60
    assert after.left_of(after.payments[0]) == 0


def test_what_the_practice_owes_for_a_bill_is_owed_where_the_bill_is_alone() -> None:
    """A statement of a negative balance that goes to another key of the person."""
    here, there = moved(book(bills=(bill(status=BillStatus.CANCELLED, balance=-5_00),)), other_account(same=True))
    assert (here.credit, there.credit) == (0, 5_00)
    assert (summarized(here).credit, summarized(there).credit) == (0, 5_00)
    assert still_needed(here) is None
