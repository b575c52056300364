"""What the business did is counted once, by closed words alone, whoever did it."""

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest.ports import ports as ingest_ports
from functions.send_sms import handler as send_sms
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.integration.test_delivery_events import (
    SAMPLE,
    SENT,
    books,  # noqa: F401 - a fixture
    invoke,
    stored,
)
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import channel_stack
from tests.worlds.clinic import Clinic
from tests.worlds.examples import NOW, notice, organization
from tests.worlds.ingest_api import BUCKET, Partner
from tests.worlds.manage_api import BILL, OWN, store
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DESK = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02", "transactionId": "T-1"}


def tallied(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, ...], int]:
    """How often what was counted, by its name and its words, in the order of their names."""
    counts = Counter[tuple[str, ...]]()
    for line in capsys.readouterr().out.splitlines():
        told: dict[str, Any] = json.loads(line) if '"business"' in line else {}
        for metric in told.get("_aws", {}).get("CloudWatchMetrics", ()):
            words = [told[name] for name in sorted(metric["Dimensions"][0]) if name != "service"]
            [measured] = metric["Metrics"]
            counts[(measured["Name"], *words)] += int(sum(told[measured["Name"]]))
    return dict(counts)


def test_statements_are_counted_by_what_became_of_them(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    Organizations(dynamodb, TABLE).create(organization())
    Partner().send(statement("S-1"), statement("S-2"), statement("S-3", clientId="NOBODY"))
    assert tallied(capsys) == {("Statements", "Created"): 2, ("Statements", "Failed"): 1}


def test_a_notice_is_counted_by_channel_and_status_and_not_where_there_was_nothing_to_do(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = channel_stack(send_sms, "send_sms", dynamodb, monkeypatch)
    queued = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    stack.given(notice(channel=Channel.SMS, **queued))
    stack.handle()
    stack.handle()
    assert tallied(capsys) == {("Notices", "sms", "Sent"): 1}


def test_what_a_provider_reports_is_counted_by_its_channel(
    books: AccountBooks,  # noqa: F811 - the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored(books, SENT)
    invoke(SAMPLE)
    assert tallied(capsys) == {("Reports", "email", "DELIVERED"): 1}


def test_a_payment_at_the_desk_is_counted_once_however_often_it_is_posted(
    manage_books: AccountBooks, capsys: pytest.CaptureFixture[str]
) -> None:
    store(manage_books)
    for _ in range(2):
        OWN.post(f"{BILL}/payments", DESK)
    assert tallied(capsys) == {("Payments", "desk"): 1}


def test_a_payment_online_is_counted_once_however_often_the_processor_says_so(
    clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = clinic.reference(amount="74.60")
    for _ in range(2):
        assert clinic.webhook(reference=reference).status == 200
    assert tallied(capsys) == {("Payments", "online"): 1}
