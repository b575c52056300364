"""What is owed: no file brings back what was paid, every payment counts, and nobody is asked for what a credit covers.

Each test plays a case of tests/cases and says its name, or a sibling of one.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from functions.ingest.ports import ports as ingest_ports
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import DunningSettings
from shared.domain.records.task import TaskKind
from shared.domain.vocabulary.money import cents
from shared.domain.vocabulary.words import BillStatus, Channel
from tests.worlds.aws import TABLE
from tests.worlds.cases import Case, case, pointers
from tests.worlds.examples import organization, the
from tests.worlds.families import Families, families
from tests.worlds.ingest_api import BUCKET
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY = timedelta(days=1)


@pytest.fixture
def town(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Families:
    """A practice whose function takes statements."""
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return families(dynamodb, dunning=DunningSettings(configuration_id="standard-30"))


def morning(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 15, tzinfo=UTC)


def at_the_desk(town: Families, said: dict[str, str], at: datetime) -> None:
    """A person at the practice posts money."""
    received = PaymentReceived(
        payment_id="pay_desk",
        amount=cents(Decimal(said["amount"])),
        method=said["method"],
        received_on=date.fromisoformat(said["receivedOn"]),
        statement_id="S-1",
    )

    def decide(book: AccountBook) -> Change | None:
        return post_payment(book, organization(), received, at, "staff")

    town.books.change("org_1", "G-1", decide)


def test_case_09_an_older_nightly_file_brings_nothing_back_that_was_paid(town: Families) -> None:
    given = case("09")
    town.takes(*given.statements("first"), at=morning(2027, 4, 26))
    at_the_desk(town, given.inputs["payment"], morning(2027, 4, 28))
    [row] = town.takes(*given.statements("then"), at=morning(2027, 4, 29))
    assert (row["result"], pointers(row)) == ("Updated", ["/totalBalance"])
    bill = the(town.account("G-1"))
    assert (bill.status, bill.balance) == (BillStatus.PAID, 0)
    assert town.goes_out("G-1", at=morning(2027, 4, 29)) == []


def test_a_file_written_after_the_payment_is_the_practices_word(town: Families) -> None:
    given = case("09")
    town.takes(*given.statements("first"), at=morning(2027, 4, 26))
    at_the_desk(town, given.inputs["payment"], morning(2027, 4, 28))
    [later] = given.statements("then")
    [row] = town.takes(later | {"statementDate": "2027-04-29"}, at=morning(2027, 4, 29))
    assert (row["result"], pointers(row)) == ("Updated", [])
    assert town.balances() == {("G-1", "S-1"): 74_60}


def test_case_10_of_two_payments_that_nothing_tells_apart_the_second_is_told_of(town: Families) -> None:
    """The two files are the same bytes, as a file sent twice is: it posts nothing, and a warning says why."""
    given = case("10")
    town.takes(*given.statements("first"), at=morning(2027, 4, 26))
    rows = [
        town.takes(*file["statements"], at=morning(2027, 4, 29), schema=file["schema"])[0]
        for file in given.inputs["files"]
    ]
    assert [row["result"] for row in rows] == ["Updated", "Ignored"]
    assert [pointers(row) for row in rows] == [["/partnerTransactions/0/transactionId"]] * 2
    assert "wasn't posted again" in rows[1]["warnings"][0]["detail"]
    assert town.balances() == {("G-1", "S-1"): 54_60}


def test_two_equal_payments_in_two_files_are_both_posted_with_a_warning(town: Families) -> None:
    given = case("10")
    town.takes(*given.statements("first"), at=morning(2027, 4, 26))
    for n, file in enumerate(given.inputs["files"]):
        told = file["statements"][0] | {"statementMessage": f"file {n}"}
        [row] = town.takes(told, at=morning(2027, 4, 29), schema=file["schema"])
        assert (row["result"], pointers(row)) == ("Updated", ["/partnerTransactions/0/transactionId"])
    assert town.balances() == {("G-1", "S-1"): 34_60}


def with_a_credit_on_the_account(town: Families) -> Case:
    given = case("11")
    town.takes(*given.statements("first"), at=morning(2027, 1, 4))
    town.takes(*given.statements("file"), at=morning(2027, 1, 5), schema="payment-updates")
    return given


def test_case_11_a_new_bill_is_asked_for_without_what_the_credit_covers(town: Families) -> None:
    given = with_a_credit_on_the_account(town)
    [task] = town.tasks()
    assert (task.kind, task.facts) == (TaskKind.CREDIT_LEFT, {"amount": "25.40"})
    town.takes(*given.statements("then"), at=morning(2027, 1, 6))
    assert town.balances() == {("G-1", "S-2"): 24_60}
    assert town.account("G-1").account.credit == 0
    assert town.visit(town.link("G-1", at=morning(2027, 1, 6)), morning(2027, 1, 6)).total == 24_60


def test_the_next_nightly_file_that_does_not_know_of_the_credit_does_not_ask_for_it(town: Families) -> None:
    given = with_a_credit_on_the_account(town)
    [new] = given.statements("then")
    town.takes(new, at=morning(2027, 1, 6))
    [row] = town.takes(new | {"statementMessage": "Thank you."}, at=morning(2027, 1, 7))
    assert (row["result"], pointers(row)) == ("Updated", ["/totalBalance"])
    assert town.balances() == {("G-1", "S-2"): 24_60}


def test_case_66_an_older_lifetime_file_that_comes_last_is_ignored(town: Families) -> None:
    first, second, again = case("66").statements()
    rows = [
        town.takes(each, at=morning(2027, 1, 4 + n), schema="lifetime")[0]
        for n, each in enumerate([first, second, again])
    ]
    assert [row["result"] for row in rows] == ["Created", "Updated", "Ignored"]
    assert pointers(rows[2]) == ["/statementDate"]
    assert town.balances() == {("G-1", "S-2"): 60_00}


def test_case_67_an_emptied_email_is_an_absent_one_and_stays_on_file(town: Families) -> None:
    """docs/rules.md#empty-parts: who is to get no emails is opted out, or the address is replaced."""
    given = case("67")
    town.takes(*given.statements("first"), at=morning(2027, 1, 4))
    town.takes(*given.statements("then"), at=morning(2027, 1, 5))
    assert town.account("G-1").account.guarantor.email == "ada@example.com"
    sent = town.goes_out("G-1", at=morning(2027, 1, 5))
    assert (Channel.EMAIL, "ada@example.com") in sent
