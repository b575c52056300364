"""Bills: what is shown of them, their status, and money taken elsewhere."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.manage.ports import ports
from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import BillStatus, NoticeStatus
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import listen
from tests.worlds.examples import NOW, bill, notice
from tests.worlds.manage_api import ACCOUNT, BILL, ORGANIZATION, OWN, PAID_ONLINE, QUEUE, pointers, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")


def test_a_bill_shows_its_age_due_date_and_level_on_the_organizations_calendar(manage_books: AccountBooks) -> None:
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
    store(manage_books, notices=(sent,))
    late = replace(OWN, at=NOW + timedelta(days=31))
    shown = late.get(BILL).body
    assert shown["status"] == "Due"
    assert shown["balance"] == "74.60"
    assert shown["totalBilled"] == "120.00"
    assert shown["effectiveCreatedDate"] == "2026-03-02"
    assert shown["dueDate"] == "2026-04-01"
    assert shown["billAge"] == 31
    assert shown["pastDue"] is True
    assert (shown["level"], shown["levelSent"]) == (2, 1)
    assert OWN.get(BILL).body["pastDue"] is False
    just_before_midnight_in_new_york = replace(OWN, at=NOW.replace(day=3, hour=4, minute=59))
    assert just_before_midnight_in_new_york.get(BILL).body["billAge"] == 0


def test_bills_are_listed_by_status_in_pages(manage_books: AccountBooks) -> None:
    bills = [bill(f"S-{n}", status=BillStatus.PAID if n % 2 else BillStatus.DUE) for n in range(7)]
    store(manage_books, bills=tuple(bills))
    shown, cursor = [], ""
    while True:
        page = OWN.get(f"/v1/organizations/org_1/bills?status=Due&limit=3{cursor}").body
        shown.append([item["statementId"] for item in page["items"]])
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert shown == [["S-0", "S-2", "S-4"], ["S-6"]]
    assert len(OWN.get("/v1/organizations/org_1/bills").body["items"]) == 7
    assert OWN.get("/v1/organizations/org_1/bills?status=Odd").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/v1/organizations",
        "/v1/dunning-configurations",
        "/v1/templates",
        f"{BILL}/payment-links",
        f"{BILL}/forecast",
        "/v1/organizations/org_1/bills",
        f"{BILL}/history",
        QUEUE,
    ],
)
def test_a_bad_limit_or_cursor_is_a_400_in_every_list(manage_books: AccountBooks, path: str) -> None:
    store(manage_books)
    for query in (
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=-1",
        "limit=\N{ARABIC-INDIC DIGIT FIVE}",
        "cursor=x",
    ):
        assert OWN.get(f"{path}?{query}").status == 400


def test_a_cursor_counts_only_unchanged_and_for_its_own_list(manage_books: AccountBooks) -> None:
    store(manage_books, bills=(bill("S-1"), bill("S-2")), notices=(notice(), notice(notice_id="ntc_2")))
    cursor = OWN.get("/v1/organizations/org_1/bills?limit=1").body["nextCursor"]
    tampered = ("B" if cursor[-6] != "B" else "C").join([cursor[:-6], cursor[-5:]])
    assert OWN.get(f"/v1/organizations/org_1/bills?limit=1&cursor={tampered}").status == 400
    assert OWN.get(f"{QUEUE}?limit=1&cursor={cursor}").status == 400
    assert OWN.get(f"/v1/organizations/org_1/bills?status=Due&cursor={cursor}").status == 400


def test_the_history_tells_every_event_oldest_first(manage_books: AccountBooks) -> None:
    planned = moved(notice(status_history=()), NoticeStatus.SCHEDULED, NOW, "scheduler", "step due")
    sent = moved(planned, NoticeStatus.SENT, NOW + timedelta(hours=1), "send_email")
    store(manage_books, notices=(sent,))
    half_an_hour_later = replace(OWN, at=NOW + timedelta(minutes=30))
    half_an_hour_later.post(f"{BILL}/status", {"status": "Suspended", "reason": "asked"})
    events = OWN.get(f"{BILL}/history").body["items"]
    assert [(event["event"], event["reason"]) for event in events] == [
        ("NotificationScheduled", "step due"),
        ("BillSuspended", "asked"),
        ("NotificationSent", None),
    ]
    assert events[2]["at"] == "2026-03-02T16:00:00.000Z"


def test_statement_ids_with_unusual_signs_are_found(manage_books: AccountBooks) -> None:
    store(manage_books, bills=(bill("2026/03 #7 é+&"),))
    path = "/v1/organizations/org_1/bills/2026%2F03%20%237%20%C3%A9%2B%26"
    assert OWN.get(path).body["statementId"] == "2026/03 #7 é+&"


def test_a_suspended_bill_stops_its_notices_and_can_be_made_due_again(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(notice(),))
    suspended = OWN.post(f"{BILL}/status", {"status": "Suspended", "reason": "under review"})
    assert (suspended.body["status"], suspended.body["statusReason"]) == ("Suspended", "under review")
    assert stored(manage_books).notices[0].status is NoticeStatus.CANCELLED
    assert OWN.post(f"{BILL}/status", {"status": "Due", "reason": "reviewed"}).body["status"] == "Due"
    assert stored(manage_books).account.planning_at == NOW


@pytest.mark.parametrize(
    ("bill_status", "balance", "wanted"),
    [
        (BillStatus.PAID, 0, "Due"),
        (BillStatus.PAID, 0, "Cancelled"),
        (BillStatus.CANCELLED, 0, "Due"),
        (BillStatus.CANCELLED, 10_00, "Suspended"),
    ],
)
def test_a_status_that_makes_no_sense_is_a_409(
    manage_books: AccountBooks, bill_status: BillStatus, balance: int, wanted: str
) -> None:
    store(manage_books, bills=(bill(status=bill_status, balance=balance),))
    assert OWN.post(f"{BILL}/status", {"status": wanted, "reason": "x"}).status == 409


@pytest.mark.parametrize(
    "body", [{"status": "Paid", "reason": "x"}, {"status": "Due"}, {"status": "Due", "reason": " "}, {}]
)
def test_a_status_needs_a_known_word_and_a_reason(manage_books: AccountBooks, body: dict[str, str]) -> None:
    store(manage_books)
    assert OWN.post(f"{BILL}/status", body).status == 422


PAYMENT = {"amount": "74.60", "method": "check", "transactionId": "T-1", "receivedOn": "2026-03-02"}


def test_a_payment_taken_elsewhere_pays_the_bill_and_stops_its_notices(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(notice(),))
    posted = OWN.post(f"{BILL}/payments", PAYMENT)
    assert posted.status == 201
    assert posted.body["allocations"] == [{"statementId": "S-1", "amount": "74.60"}]
    assert posted.body["credit"] == "0.00"
    assert OWN.get(BILL).body["status"] == "Paid"
    assert stored(manage_books).notices[0].status is NoticeStatus.WILL_NOT_SEND


def test_a_transaction_is_posted_once(manage_books: AccountBooks) -> None:
    store(manage_books)
    first = OWN.post(f"{BILL}/payments", PAYMENT | {"amount": "10.00"})
    again = OWN.post(f"{BILL}/payments", PAYMENT | {"amount": "10.00"})
    assert (again.status, again.body) == (200, first.body)
    assert OWN.get(BILL).body["balance"] == "64.60"


def test_two_payments_without_a_transaction_id_are_two(manage_books: AccountBooks) -> None:
    store(manage_books)
    cash = {"amount": 10, "method": "cash", "receivedOn": "2026-03-02"}
    assert OWN.post(f"{BILL}/payments", cash).status == 201
    assert OWN.post(f"{BILL}/payments", cash).status == 201
    assert OWN.get(BILL).body["balance"] == "54.60"


def test_what_is_overpaid_becomes_credit(manage_books: AccountBooks) -> None:
    store(manage_books)
    assert OWN.post(f"{BILL}/payments", PAYMENT | {"amount": "80.00"}).body["credit"] == "5.40"
    assert OWN.get(ACCOUNT).body["credit"] == "5.40"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"amount": "0.00"}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"amount": None}, "/amount"),
        ({"method": ""}, "/method"),
        ({"receivedOn": "2026-02-30"}, "/receivedOn"),
        ({"receivedOn": "2027-01-01"}, "/receivedOn"),
        ({"receivedOn": 20260302}, "/receivedOn"),
    ],
)
def test_a_wrong_payment_is_named_and_not_posted(
    manage_books: AccountBooks, wrong: dict[str, Any], pointer: str
) -> None:
    store(manage_books)
    answer = OWN.post(f"{BILL}/payments", PAYMENT | wrong)
    assert answer.status == 422
    assert pointers(answer.body) == [pointer]
    assert stored(manage_books).payments == ()


def test_a_repeat_with_the_same_idempotency_key_does_nothing_and_answers_the_same(manage_books: AccountBooks) -> None:
    store(manage_books)
    cash = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}
    first = OWN.post(f"{BILL}/payments", cash, Idempotency_Key="once")
    again = OWN.post(f"{BILL}/payments", cash, Idempotency_Key="once")
    assert (again.status, again.text) == (first.status, first.text)
    assert OWN.get(BILL).body["balance"] == "64.60"
    assert OWN.post(f"{BILL}/payments", cash | {"amount": "1.00"}, Idempotency_Key="once").status == 422


def test_forecast_and_explanation_say_what_will_go_and_why(manage_books: AccountBooks) -> None:
    store(manage_books)
    coming = OWN.get(f"{BILL}/forecast").body["items"]
    assert {notice["channel"] for notice in coming if notice["level"] == 1} == {"email", "sms", "print"}
    assert [notice["level"] for notice in coming] == sorted(notice["level"] for notice in coming)
    assert coming[0]["date"] == "2026-03-02"
    explained = OWN.get(f"{BILL}/explanation").body
    assert {"rule", "found", "outcome", "channel", "statementId"} == set(explained["findings"][0])
    assert {finding["channel"] for finding in explained["findings"]} >= {"email", "sms", "print"}
    OWN.patch(ACCOUNT, {"holds": ["Deceased"]})
    assert OWN.get(f"{BILL}/forecast").body == {"items": [], "nextCursor": None, "reason": "on hold: Deceased"}
    assert "stops" in {finding["outcome"] for finding in OWN.get(f"{BILL}/explanation").body["findings"]}


def test_an_unknown_bill_account_or_notification_is_a_404() -> None:
    for path in ("/v1/organizations/org_9", BILL, f"{BILL}/history", ACCOUNT, f"{QUEUE}/ntc_9", "/v1/nothing"):
        answer = OWN.get(path)
        assert answer.status == 404
        assert answer.body["status"] == 404


# --- a request that failed, and is sent again under its Idempotency-Key -------------------------------------------


CASH = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}
REPEATED: dict[str, tuple[str, dict[str, Any]]] = {
    "money without a transactionId": (f"{BILL}/payments", CASH),
    "a notice on demand": (f"{BILL}/notifications", {"channel": "email", "sendTo": "guarantor"}),
    "a payment link": (f"{BILL}/payment-links", {"staffName": "Pat"}),
    "a new organization": (
        "/v1/organizations",
        {
            "clientId": "NEW",
            "name": "Southside Practice",
            "shortName": "Southside",
            "timeZone": "America/New_York",
            "phone": "+15185550120",
            "address": {"line1": "1 Elm St", "city": "Albany", "state": "NY", "postalCode": "12207"},
        },
    ),
}


@pytest.mark.parametrize("what", REPEATED)
@pytest.mark.parametrize("done", [False, True], ids=["before it did anything", "after it did it"])
def test_after_a_500_the_same_key_works_at_once_and_does_it_once(
    manage_books: AccountBooks, what: str, *, done: bool
) -> None:
    store(manage_books)
    OWN.patch(ORGANIZATION, PAID_ONLINE)
    path, body = REPEATED[what]
    failing = [ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "TransactWriteItems")]

    def fails_once(**_: Any) -> None:
        if failing:
            raise failing.pop()

    moment = f"{'after' if done else 'before'}-call.dynamodb.TransactWriteItems"
    listen(ports().books.client, moment, fails_once)
    assert OWN.post(path, body, Idempotency_Key="k").status == 500
    assert OWN.post(path, body, Idempotency_Key="k").status in {200, 201, 202}
    book = stored(manage_books)
    made = len(book.payments) + len(book.notices) + len(OWN.get("/v1/organizations?search=South").body["items"])
    assert made == 1
    again = OWN.post(path, body, Idempotency_Key="k")
    assert again.status in {200, 201, 202}
    assert stored(manage_books) == book
