"""Payments over the API: listed, read, reversed, refunded; the ledger; and what the desk may not post."""

from typing import Any

import pytest

from functions.manage import bills
from shared.domain.account.bill_status import set_status
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.reversals import REVERSAL, Takeback, take_back
from shared.domain.records.book import AccountBook
from shared.domain.vocabulary.words import BillStatus
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, bill, organization
from tests.worlds.manage_api import ORGANIZATION, OWN, Reply, pointers, store, stored
from tests.worlds.moving_bills import moved_away

LIST = f"{ORGANIZATION}/payments"
PAYMENT = {"amount": "74.60", "method": "check", "transactionId": "T-1", "receivedOn": "2026-03-02"}


def pay(**said: str) -> Reply:
    return OWN.post(f"{ORGANIZATION}/bills/S-1/payments", PAYMENT | said)


@pytest.fixture
def paid(manage_books: AccountBooks) -> dict[str, Any]:
    """80.00 at the desk on a bill of 74.60."""
    store(manage_books)
    answer = pay(amount="80.00", transactionId="T-1")
    assert answer.status == 201
    body: dict[str, Any] = answer.body
    return body


def test_a_payment_is_read_by_its_id_and_listed_by_account_bill_and_day(paid: dict[str, Any]) -> None:
    payment = OWN.get(f"{LIST}/{paid['paymentId']}").body
    assert (payment["accountId"], payment["statementIds"], payment["reference"]) == ("G-1", ["S-1"], "T-1")
    assert (payment["amount"], payment["credit"], payment["status"], payment["by"]) == (
        "80.00",
        "5.40",
        "Posted",
        "key:k1",
    )
    day = payment["receivedOn"]
    for query in ("", "?accountId=G-1", "?statementId=S-1", f"?from={day}&to={day}"):
        assert OWN.get(f"{LIST}{query}").body["items"] == [payment]
    for query in ("?accountId=G-2", "?statementId=S-2", "?to=2020-01-01", "?from=2030-01-01"):
        assert OWN.get(f"{LIST}{query}").body["items"] == []
    assert OWN.get(f"{LIST}?from=yesterday").status == 400
    assert OWN.get(f"{LIST}/pay_none").status == 404


def test_a_list_goes_on_page_by_page(paid: dict[str, Any]) -> None:
    second = pay(amount="1.00", transactionId="T-2").body
    first = OWN.get(f"{LIST}?limit=1").body
    then = OWN.get(f"{LIST}?limit=1&cursor={first['nextCursor']}").body
    listed = {item["paymentId"] for item in (*first["items"], *then["items"])}
    assert (listed, then["nextCursor"]) == ({paid["paymentId"], second["paymentId"]}, None)


def test_money_at_the_desk_goes_to_its_bill_though_that_moves_meanwhile(
    manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(manage_books)
    calls = list[str]()

    def moving(book: AccountBook, *rest: Any) -> Any:
        if not calls:
            moved_away(manage_books)
        calls.append(book.account.account_id)
        return post_payment(book, *rest)

    monkeypatch.setattr(bills, "post_payment", moving)
    assert pay().status == 201
    assert calls == ["G-1", "G-2"]
    here, there = stored(manage_books), stored(manage_books, "G-2")
    assert (here.account.credit, here.payments) == (0, ())
    assert [(one.status, one.balance) for one in there.bills] == [(BillStatus.PAID, 0)]


def test_what_staff_does_to_a_bill_happens_where_it_is(
    manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(manage_books)
    calls = list[str]()

    def moving(book: AccountBook, *rest: Any) -> Any:
        if not calls:
            moved_away(manage_books)
        calls.append(book.account.account_id)
        return set_status(book, *rest)

    monkeypatch.setattr(bills, "set_status", moving)
    answer = OWN.post(f"{ORGANIZATION}/bills/S-1/status", {"status": "Suspended", "reason": "asked for"})
    assert (answer.status, answer.body["status"], answer.body["accountId"]) == (200, "Suspended", "G-2")
    assert calls == ["G-1", "G-2"]


def test_a_payment_that_went_with_its_bill_is_taken_back_where_the_bill_is(manage_books: AccountBooks) -> None:
    store(manage_books)
    paid = pay(amount="20.00").body
    moved_away(manage_books)
    answer = OWN.post(f"{LIST}/{paid['paymentId']}/reverse", {"reason": "typed twice"})
    assert (answer.status, answer.body["status"], answer.body["accountId"]) == (200, "Reversed", "G-2")
    there = stored(manage_books, "G-2")
    assert [(one.balance, one.paid) for one in there.bills] == [(74_60, 0)]
    here = stored(manage_books)
    assert (sum(payment.amount for payment in here.payments), here.account.credit) == (0, 0)
    assert OWN.post(f"{LIST}/{paid['paymentId']}/reverse", {"reason": "again"}).status == 409


def test_a_payment_whose_bills_went_round_and_back_is_read_when_all_of_it_is_taken_back(
    manage_books: AccountBooks,
) -> None:
    """Each of the two accounts has a bill of it that the other had once, and nothing is left of it at either."""
    store(manage_books, bills=(bill("S-1", balance=10_00), bill("S-2", balance=10_00)))
    both = PaymentReceived(payment_id="pay_both", amount=20_00, method="cash", received_on=NOW.date())
    manage_books.change("org_1", "G-1", lambda book: post_payment(book, organization(), both, NOW, "test"))
    moved_away(manage_books, "S-1", "S-2")
    moved_away(manage_books, "S-2", to="G-1", origin="G-2")
    back = Takeback(payment_id="pay_both", kind=REVERSAL, reason="bounced")
    for account_id in ("G-1", "G-2"):
        manage_books.change("org_1", account_id, lambda book: take_back(book, organization(), back, NOW, "test")[0])
    assert OWN.get(f"{LIST}/pay_both").body["status"] == "Reversed"
    assert OWN.post(f"{LIST}/pay_both/reverse", {"reason": "again"}).status == 409


def test_a_desk_payment_is_reversed_once_with_a_reason(paid: dict[str, Any]) -> None:
    path = f"{LIST}/{paid['paymentId']}/reverse"
    assert pointers(OWN.post(path, {}).body) == ["/reason"]
    answer = OWN.post(path, {"reason": "typed twice"})
    assert (answer.status, answer.body["status"]) == (200, "Reversed")
    assert OWN.post(path, {"reason": "again"}).status == 409
    bill = OWN.get(f"{ORGANIZATION}/bills/S-1").body
    assert (bill["status"], bill["balance"]) == ("Due", "74.60")
    back = next(item for item in OWN.get(LIST).body["items"] if item["reverses"])
    assert (back["amount"], back["reason"], back["reverses"]) == ("-80.00", "typed twice", paid["paymentId"])


def test_a_desk_payment_is_not_refunded(paid: dict[str, Any]) -> None:
    assert OWN.post(f"{LIST}/{paid['paymentId']}/refund", {"reason": "x"}).status == 409


def test_the_ledger_shows_every_posting_oldest_first(paid: dict[str, Any]) -> None:
    OWN.post(f"{LIST}/{paid['paymentId']}/reverse", {"reason": "typed twice"})
    ledger = OWN.get(f"{ORGANIZATION}/accounts/G-1/ledger").body["items"]
    # The payment's share of the bill, its surplus, and both of them back.
    assert [(row["kind"], row["amount"]) for row in ledger] == [
        ("Charge", "74.60"),
        ("Payment", "-74.60"),
        ("Payment", "-5.40"),
        ("Reversal", "74.60"),
        ("Reversal", "5.40"),
    ]
    assert ledger[-1]["balance"] == "74.60"
    assert OWN.get(f"{ORGANIZATION}/accounts/G-9/ledger").status == 404


def test_an_overpayment_is_a_task_for_staff(paid: dict[str, Any]) -> None:
    (task,) = OWN.get(f"{ORGANIZATION}/tasks?status=Open&kind=CreditLeft").body["items"]
    assert (task["accountId"], task["paymentId"], task["facts"]) == ("G-1", paid["paymentId"], {"amount": "5.40"})


@pytest.mark.parametrize("amount", ["-0.01", "-74.60", "-500.00"])
def test_no_more_goes_back_at_the_desk_than_was_paid(manage_books: AccountBooks, amount: str) -> None:
    store(manage_books)
    assert pay(amount=amount).status == 409
    assert OWN.get(f"{ORGANIZATION}/bills/S-1").body["balance"] == "74.60"


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31", "2026-03-05"])
def test_money_is_not_received_long_ago_or_in_the_future(manage_books: AccountBooks, day: str) -> None:
    store(manage_books)
    answer = pay(receivedOn=day)
    assert (answer.status, pointers(answer.body)) == (422, ["/receivedOn"])
