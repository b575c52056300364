"""Refunds through Stripe by staff: asked for once, pending until Stripe says that they are made, posted then."""

from http import HTTPStatus
from typing import Any

import pytest

from functions.manage.ports import ports as manage_ports
from shared.processors.stripe_account import StripeAccounts
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import TABLE
from tests.worlds.manage_api import ORGANIZATION, OWN, Reply
from tests.worlds.stripe_clinic import StripeClinic
from tests.worlds.wiring import wired


@pytest.fixture
def paid(stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch) -> StripeClinic:
    """74.60 came through Stripe."""
    wired(
        monkeypatch,
        manage_ports,
        TABLE_NAME=TABLE,
        ALLOW_SIMULATED_TIME="true",
        STRIPE_API_URL=stripe_clinic.stripe.url,
    )
    stripe_clinic.paid()
    return stripe_clinic


def path(clinic: StripeClinic) -> str:
    return f"{ORGANIZATION}/payments/pay_{clinic.checkouts[0].reference}"


def refund(clinic: StripeClinic, amount: str | None = None) -> Reply:
    said = {"reason": "asked for by the patient"} | ({"amount": amount} if amount else {})
    return OWN.post(f"{path(clinic)}/refund", said)


def amounts(clinic: StripeClinic) -> list[int]:
    """What Stripe was made to give back."""
    return [one["amount"] for one in clinic.stripe.objects.refunds.values()]


def test_a_refund_is_pending_until_stripe_says_that_it_is_made(paid: StripeClinic) -> None:
    answer = refund(paid, "20.00")
    assert (answer.status, answer.body["status"], amounts(paid)) == (200, "Pending", [20_00])
    assert paid.net == 74_60
    assert set(paid.deliver()) == {200}
    assert paid.net == 54_60
    assert OWN.get(path(paid)).body["status"] == "PartlyRefunded"
    [posting] = [one for one in paid.clinic.book.payments if one.reverses]
    assert (posting.reason, posting.by) == ("asked for by the patient", "key:k1")


def test_without_an_amount_all_that_is_left_goes_back_and_no_more(paid: StripeClinic) -> None:
    refund(paid, "20.00")
    assert refund(paid, "60.00").status == 409  # the 20.00 are on their way
    assert refund(paid).status == 200
    assert amounts(paid) == [20_00, 54_60]
    assert refund(paid).status == 409
    paid.deliver()
    assert (paid.net, OWN.get(path(paid)).body["status"]) == (0, "Refunded")
    assert refund(paid).status == 409


@pytest.mark.parametrize("lost", ["before Stripe", "after Stripe"])
def test_a_refund_whose_answer_was_lost_is_made_once_however_often_it_is_asked_for(
    paid: StripeClinic, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    made, change = StripeAccounts.refund, AccountBooks.change

    def dying(*given: Any) -> Any:
        raise ConnectionError

    with monkeypatch.context() as patched:
        if lost == "before Stripe":
            patched.setattr(StripeAccounts, "refund", dying)
        else:
            patched.setattr(AccountBooks, "change", dying)
        assert refund(paid, "20.00").status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert (StripeAccounts.refund, AccountBooks.change) == (made, change)
    paid.stripe.objects.remembered.clear()  # Stripe forgets idempotency keys after a day
    assert refund(paid, "30.00").status == 409  # another than the one that isn't answered
    assert refund(paid, "20.00").body["status"] == "Pending"
    assert amounts(paid) == [20_00]


def test_where_stripe_cant_be_asked_the_same_request_is_to_be_sent_again(paid: StripeClinic) -> None:
    key, paid.stripe.key = paid.stripe.key, "sk_test_another"
    answer = refund(paid, "20.00")
    assert (answer.status, amounts(paid)) == (503, [])
    paid.stripe.key = key
    assert (refund(paid, "20.00").status, amounts(paid)) == (200, [20_00])


def test_what_stripe_refuses_is_told_and_may_be_asked_for_otherwise(paid: StripeClinic) -> None:
    payment = paid.checkouts[0].processor_payment
    dispute = paid.stripe.objects.dispute(payment)
    answer = refund(paid, "20.00")
    assert (answer.status, "charge_disputed" in answer.body["detail"]) == (409, True)
    paid.stripe.objects.close_dispute(dispute, "won")
    paid.stripe.objects.charges[paid.stripe.objects.payments[payment]["latest_charge"]]["disputed"] = False
    assert refund(paid, "10.00").status == 200


def test_a_disputed_payment_says_so(paid: StripeClinic) -> None:
    dispute = paid.stripe.objects.dispute(paid.checkouts[0].processor_payment)
    paid.deliver()
    assert OWN.get(path(paid)).body["status"] == "Disputed"
    paid.stripe.objects.close_dispute(dispute, "won")
    paid.deliver()
    assert OWN.get(path(paid)).body["status"] == "Posted"


def test_a_refund_made_in_stripes_dashboard_meanwhile_counts(paid: StripeClinic) -> None:
    paid.stripe.objects.refund_at_the_desk(paid.checkouts[0].processor_payment, 70_00)
    assert refund(paid, "20.00").status == 409
    paid.deliver()
    assert OWN.get(path(paid)).body["status"] == "PartlyRefunded"
    assert refund(paid).status == 200
    assert amounts(paid) == [70_00, 4_60]


def test_stripe_payments_are_not_reversed(paid: StripeClinic) -> None:
    assert OWN.post(f"{path(paid)}/reverse", {"reason": "typed twice"}).status == 409
