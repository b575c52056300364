"""Accounts with very many bills and notices, at the routes: money is posted, and messages stop, whatever the number."""

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from functions.ingest.ports import ports as ingest_ports
from shared.domain.records.notice import Notice, moved
from shared.domain.records.partner import Partner as Owner
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.clinic import Clinic
from tests.worlds.examples import NOW, bill, notice
from tests.worlds.ingest_api import BUCKET, Partner, drop, results
from tests.worlds.manage_api import ACCOUNT, BILL, OWN, store, stored
from tests.worlds.statement_examples import payment_update, statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTNER = Partner()
NOTICES = 130


def waiting(number: int = NOTICES, **about: Any) -> tuple[Notice, ...]:
    return tuple(
        moved(notice(notice_id=f"ntc_{n:04}", **about), NoticeStatus.SCHEDULED, NOW, "scheduler", "planned")
        for n in range(number)
    )


def statuses(books: AccountBooks) -> set[NoticeStatus]:
    """Of the notices that waited, as they are now."""
    return {row.status for row in stored(books).notices if row.notice_id[4:].isdecimal()}


# --- what patients and staff do -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bills", [91, 92, 99, 100, 150])
def test_a_confirmed_payment_is_posted_over_any_number_of_bills(clinic: Clinic, bills: int) -> None:
    clinic.change(bills=tuple(bill(f"S-{n}") for n in range(1, bills + 1)), notices=waiting())
    reference = clinic.reference()
    assert {clinic.webhook(reference=reference, amount=bills * 74_60).status for _ in range(2)} == {200}
    book = clinic.book
    assert {one.status for one in book.bills} == {BillStatus.PAID}
    assert (sum(one.paid for one in book.bills), book.account.credit) == (bills * 74_60, 0)
    assert [payment.amount for payment in book.payments] == [bills * 74_60]
    assert statuses(clinic.books) == {NoticeStatus.WILL_NOT_SEND}


def desk_payment() -> Any:
    return OWN.post(f"{BILL}/payments", {"amount": "74.60", "method": "cash", "receivedOn": "2026-03-02"})


WHAT_STOPS_EVERYTHING = {
    "a desk payment": (desk_payment, NoticeStatus.WILL_NOT_SEND),
    "a bill cancelled": (
        lambda: OWN.post(f"{BILL}/status", {"status": "Cancelled", "reason": "sent by mistake"}),
        NoticeStatus.CANCELLED,
    ),
    "a bill suspended": (
        lambda: OWN.post(f"{BILL}/status", {"status": "Suspended", "reason": "insurance pending"}),
        NoticeStatus.CANCELLED,
    ),
    "a hold": (lambda: OWN.patch(ACCOUNT, {"holds": ["Dispute"]}), NoticeStatus.CANCELLED),
    "an opt-out": (lambda: OWN.patch(ACCOUNT, {"optOuts": {"email": True}}), NoticeStatus.CANCELLED),
}


@pytest.mark.parametrize("what", WHAT_STOPS_EVERYTHING)
def test_what_stops_notices_stops_any_number_of_them(manage_books: AccountBooks, what: str) -> None:
    act, ends_as = WHAT_STOPS_EVERYTHING[what]
    store(manage_books, notices=waiting())
    assert act().status in {200, 201}
    assert statuses(manage_books) == {ends_as}


# --- what partners send -------------------------------------------------------------------------------------------


@pytest.fixture
def ingest(dynamodb: "DynamoDBClient", manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> AccountBooks:
    """The account books of a table in which OWN's organization takes statements."""
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return AccountBooks(dynamodb, TABLE)


def transactions(number: int) -> list[dict[str, Any]]:
    return [
        {"transactionId": f"T-{n}", "transactionDate": "2026-03-02", "transactionAmt": -0.10} for n in range(number)
    ]


@pytest.mark.parametrize("number", [49, 50, 60, 100, 250])
def test_a_payment_update_may_have_any_number_of_transactions(ingest: AccountBooks, number: int) -> None:
    """And its neighbours are taken whatever it has."""
    assert results(PARTNER.send(statement(), statement("S-2", guarantor__guarantorId="G-2"))) == ["Created"] * 2
    many = payment_update(*transactions(number)) | {"partnerTransactionsOnly": True}
    neighbour = payment_update(*transactions(1)) | {"statementId": "S-2", "partnerTransactionsOnly": True}
    for outcome in ("Updated", "Ignored"):
        assert results(PARTNER.send(many, neighbour)) == [outcome] * 2
    book = stored(ingest)
    [one] = book.bills
    assert len(book.payments) == number
    assert one.paid == sum(payment.amount for payment in book.payments)


def test_a_payment_update_of_any_size_by_file_comes_to_its_end(ingest: AccountBooks) -> None:
    Organizations(ingest.client, TABLE).create_partner(Owner(partner_id="prt_1", name="Example", created_at=NOW))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    PARTNER.send(statement())
    file = {"schema": "payment-updates", "statements": [payment_update(*transactions(130))]}
    key = "drops/prt_1/updates.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(file).encode())
    drop(key)
    taken = PARTNER.get("/v1/ingestions").body["items"]
    assert [ingestion["status"] for ingestion in taken] == ["Success", "Success"]
    assert len(stored(ingest).payments) == 130


def test_a_statement_of_zero_stops_any_number_of_notices(ingest: AccountBooks) -> None:
    PARTNER.send(statement())
    book = stored(ingest)
    store(ingest, book.account, bills=book.bills, notices=waiting())
    assert results(PARTNER.send(statement(totalBalance="0.00"))) == ["Updated"]
    assert NoticeStatus.SCHEDULED not in statuses(ingest)


def test_a_statement_that_is_too_large_to_be_stored_fails_alone(ingest: AccountBooks) -> None:
    noise = random.Random(1).randbytes(300_000).hex()  # noqa: S311 - no secret
    large = statement("S-2", patients__0__firstName="Kim") | {"memo": noise}
    reply = PARTNER.send(statement(), large, statement("S-3"), statement("S-4", guarantor__guarantorId="G-2"))
    assert results(reply) == ["Created", "Failed", "Created", "Created"]
    assert "larger" in reply.body["statements"][1]["errors"][0]["detail"]
    assert {one.statement_id for one in stored(ingest).bills} == {"S-1", "S-3"}


def test_notices_of_one_channel_stop_and_those_of_another_go_on(manage_books: AccountBooks) -> None:
    texts = tuple(replace(row, notice_id=f"txt_{n}", channel=Channel.SMS) for n, row in enumerate(waiting(20)))
    store(manage_books, notices=(*waiting(), *texts))
    OWN.patch(ACCOUNT, {"optOuts": {"email": True}})
    by_channel = {(row.channel, row.status) for row in stored(manage_books).notices}
    assert by_channel == {(Channel.EMAIL, NoticeStatus.CANCELLED), (Channel.SMS, NoticeStatus.SCHEDULED)}
