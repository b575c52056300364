"""Reports over the API, as the scheduler rolled them up."""

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from functions.scheduler import handler
from functions.scheduler.ports import ports as scheduler_ports
from shared.domain.calendar.send_window import DAY
from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, notice
from tests.worlds.lambda_context import lambda_context
from tests.worlds.manage_api import FOREIGN, ORGANIZATION, OWN, Caller, Reply, store
from tests.worlds.moving_bills import moved_away
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REPORTS = f"{ORGANIZATION}/reports"
BUCKET = "dunlin-test-print"
NAMES = ("daily-activity", "ageing", "collections", "delivery", "reconciliation")
TODAY = "2026-03-02"


@pytest.fixture(autouse=True)
def _scheduler(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    queues = {f"{channel}_QUEUE_URL": "https://example.com/queue" for channel in ("EMAIL", "SMS", "PRINT")}
    settings = {"TABLE_NAME": TABLE, "INGEST_FUNCTION": "ingest", "PRINT_BUCKET": BUCKET}
    settings["WEBHOOK_QUEUE_URL"] = "https://example.com/webhooks"
    wired(monkeypatch, scheduler_ports, ALLOW_SIMULATED_TIME="true", **settings, **queues)
    assert manage_table
    clients.s3().create_bucket(Bucket=BUCKET)


def roll_up(at: Any = NOW) -> int:
    answer: Any = handler.lambda_handler({"asOf": at.isoformat(), "work": "reports"}, lambda_context())
    accounts: int = answer["accounts"]
    return accounts


def report(name: str, query: str = "", at: Any = NOW, **headers: str) -> Reply:
    return replace(OWN, at=at).call("GET", f"{REPORTS}/{name}{query}", **headers)


@pytest.fixture
def worked(manage_books: AccountBooks) -> AccountBooks:
    """A bill of 74.60, an email about it, and 80.00 at the desk an hour later."""
    row = notice()
    for status in (NoticeStatus.SCHEDULED, NoticeStatus.QUEUED, NoticeStatus.SENDING, NoticeStatus.SENT):
        row = moved(row, status, NOW, "scheduler")
    store(manage_books, bills=(bill(),), notices=(row,))
    said = {"amount": "80.00", "method": "check", "transactionId": "T-1", "receivedOn": TODAY}
    assert replace(OWN, at=NOW + timedelta(hours=1)).post(f"{ORGANIZATION}/bills/S-1/payments", said).status == 201
    assert roll_up(NOW + timedelta(hours=2)) == 1
    return manage_books


def test_the_daily_activity_counts_what_happened_on_each_day(worked: AccountBooks) -> None:
    assert worked
    body = report("daily-activity").body
    assert (body["report"], body["to"], body["from"]) == ("daily-activity", TODAY, "2026-02-01")
    found = {(row["activity"], row["channel"], row["level"], row["status"]): row for row in body["items"]}
    assert found["StatementsCreated", None, None, None]["count"] == 1
    assert found["Notices", "email", 1, "Sent"]["count"] == 1
    paid = found["Payments", "email", 1, None]
    assert (paid["date"], paid["count"], paid["amount"], paid["notificationType"]) == (TODAY, 1, "80.00", "Initial")


def test_the_collections_tell_cost_by_the_prices_that_the_organization_set(worked: AccountBooks) -> None:
    assert worked
    prices = {"email": "0.0010", "sms": "0.0083", "print": "0.74"}
    changed = OWN.patch(ORGANIZATION, {"noticePrices": prices})
    assert changed.body["noticePrices"] == {"email": "0.0010", "sms": "0.0083", "print": "0.7400"}
    [row] = report("collections").body["items"]
    assert (row["bills"], row["billed"], row["collected"], row["received"]) == (1, "74.60", "74.60", "80.00")
    assert (row["emails"], row["cost"], row["costPerDollar"], row["daysToPay"]) == (1, "0.0010", "0.0000", 0)
    assert row["shareByDay30"] is None
    later = report("collections", f"?from={TODAY}&to={TODAY}", at=NOW + 31 * DAY).body["items"][0]
    assert (later["shareByDay30"], later["shareByDay60"]) == ("1.0000", None)


@pytest.mark.parametrize("price", ["-0.01", "0.00001", "1000", "free", True, 0.1, 1e300])
def test_a_price_is_refused_that_is_none(manage_books: AccountBooks, price: Any) -> None:
    assert manage_books
    answer = OWN.patch(ORGANIZATION, {"noticePrices": {"email": price}})
    expected = 200 if price == 0.1 else 422
    assert answer.status == expected


def test_the_ageing_tells_what_is_owed_each_day_though_nothing_changes(manage_books: AccountBooks) -> None:
    store(manage_books)
    roll_up()
    body = report("ageing", f"?from={TODAY}&to=2026-04-02", at=NOW + 40 * DAY).body
    owed = {row["date"]: row["age"] for row in body["items"] if row["owed"] == "74.60"}
    assert len(owed) == 32
    assert (owed[TODAY], owed["2026-04-01"], owed["2026-04-02"]) == ("0-30", "0-30", "31-60")


def test_the_delivery_report_has_a_row_for_a_day_and_channel(worked: AccountBooks) -> None:
    assert worked
    [row] = report("delivery").body["items"]
    assert (row["date"], row["channel"], row["sent"], row["bounced"]) == (TODAY, "email", 1, 0)


def test_the_reconciliation_has_each_part_of_a_posting_and_sums_that_balance(worked: AccountBooks) -> None:
    assert worked
    body = report("reconciliation").body
    assert [(line["statementId"], line["amount"], line["reference"]) for line in body["items"]] == [
        ("S-1", "74.60", "T-1"),
        (None, "5.40", "T-1"),
    ]
    assert body["sums"] == [
        {
            "kind": "Payment",
            "method": "check",
            "postings": 1,
            "amount": "80.00",
            "toBills": "74.60",
            "toCredit": "5.40",
        }
    ]


def test_a_day_is_filed_in_the_next_night_with_commas_and_with_pipes(worked: AccountBooks) -> None:
    assert worked
    night = NOW.replace(day=3, hour=8, minute=30)  # half past three in New York
    roll_up(night - timedelta(minutes=31))
    s3 = clients.s3()
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    roll_up(night)
    place = f"reconciliation/org_1/{TODAY}"
    files = {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().decode()
        for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    }
    assert set(files) == {f"{place}.csv", f"{place}.psv", f"{place}-sums.csv"}
    commas = list(csv.DictReader(StringIO(files[f"{place}.csv"])))
    assert commas == list(csv.DictReader(StringIO(files[f"{place}.psv"]), delimiter="|"))
    assert [(line["statementId"], line["amount"]) for line in commas] == [("S-1", "74.60"), ("", "5.40")]
    assert roll_up(night + 4 * DAY) == 1  # for what its message's provider may have said until then
    assert roll_up(night + 5 * DAY) == 0


@pytest.mark.parametrize("name", NAMES)
def test_each_report_comes_as_csv_to_whoever_would_rather_have_that(name: str, worked: AccountBooks) -> None:
    assert worked
    items = report(name).body["items"]
    for accept, is_csv in (
        ("text/csv", True),
        ("text/csv;q=0.9, application/json;q=0.5", True),
        ("application/json", False),
        ("*/*", False),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv;q=none", False),
    ):
        answer = report(name, Accept=accept)
        assert answer.headers["Content-Type"].startswith("text/csv" if is_csv else "application/json")
    rows = list(csv.DictReader(StringIO(report(name, Accept="text/csv").text)))
    assert [{key: "" if value is None else str(value) for key, value in item.items()} for item in items] == rows


@pytest.mark.parametrize("name", NAMES)
def test_a_report_names_nobody(name: str, worked: AccountBooks) -> None:
    assert worked
    person = account().guarantor
    for text in (report(name).text, report(name, Accept="text/csv").text):
        for told in (person.first_name, person.last_name, person.email, person.mobile_phone[-4:], "1980"):
            assert told not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_bounded_and_about_days(name: str, manage_books: AccountBooks) -> None:
    assert manage_books
    for query in ("?from=yesterday", "?to=2026-02-30", "?from=2026-03-02&to=2026-03-01", "?from=2025-01-01"):
        assert report(name, query).status == 400
    assert report(name, "?from=2026-02-01&to=2026-03-03").status == 200
    for day in ("0001-01-01", "9999-12-31"):
        assert report(name, f"?to={day}").status == 200
    assert FOREIGN.get(f"{REPORTS}/{name}").status == 404
    assert Caller(scopes="manage").get(f"{REPORTS}/{name}").status == 403


def test_an_unknown_report_is_not_found(manage_books: AccountBooks) -> None:
    assert manage_books
    assert report("everything").status == 404


def test_a_sweep_of_simulated_time_rolls_up_too_unless_it_is_asked_for_notices_alone(
    manage_books: AccountBooks,
) -> None:
    store(manage_books)
    asked = {"asOf": NOW.isoformat()}
    handler.lambda_handler(asked | {"work": "notices"}, lambda_context())
    assert report("daily-activity").body["items"] == []
    handler.lambda_handler(asked, lambda_context())
    assert report("daily-activity").body["items"] != []


def test_a_day_of_an_account_is_forgotten_once_its_only_payment_went_along_with_the_bill(
    manage_books: AccountBooks,
) -> None:
    store(manage_books)
    paid = {"amount": "74.60", "method": "check", "transactionId": "T-1", "receivedOn": TODAY}
    assert OWN.post(f"{ORGANIZATION}/bills/S-1/payments", paid).status == 201
    roll_up(NOW + timedelta(hours=1))
    moved_away(manage_books)
    roll_up(NOW + timedelta(hours=3))
    assert {line["accountId"] for line in report("reconciliation").body["items"]} == {"G-2"}
