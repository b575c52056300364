"""Ids in addresses are decoded exactly once, whichever gateway stands in front (docs/rules.md#ids-in-addresses)."""

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from functions.ingest.ports import ports as ingest_ports
from shared.domain.records.book import Change
from shared.http.gateway import UnreadableIdError, canonical_path, decoded_id
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill
from tests.worlds.ingest_api import BUCKET, Partner, pointers, results
from tests.worlds.manage_api import ORGANIZATION, OWN, Caller, store, stored
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AWS, LOCAL = OWN, replace(OWN, decoded=True)
PAID = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}
LOOKALIKES = ["a%b", "a%25b", "a%2525b", "100%", "%", "%41", "A", "a+b", "a b", "a%20b", "é", "%C3%A9", "{id}", "<id>"]


def encoded(value: str) -> str:
    return quote(value, safe="")


@pytest.mark.parametrize("caller", [AWS, LOCAL], ids=["aws", "local"])
def test_each_of_two_ids_that_are_alike_but_for_their_encoding_leads_to_its_own_bill(
    manage_books: AccountBooks, caller: Caller
) -> None:
    store(manage_books, bills=tuple(bill(value) for value in LOOKALIKES))
    for value in LOOKALIKES:
        answer = caller.get(f"{ORGANIZATION}/bills/{encoded(value)}")
        assert (answer.status, answer.body["statementId"]) == (200, value)


@pytest.mark.parametrize("caller", [AWS, LOCAL], ids=["aws", "local"])
def test_the_bill_of_an_id_with_a_percent_never_pays_the_bill_that_it_would_decode_to(
    manage_books: AccountBooks, caller: Caller
) -> None:
    store(manage_books, bills=(bill("a/b"), bill("a%2Fb")))
    assert caller.post(f"{ORGANIZATION}/bills/a%252Fb/payments", PAID).status == 201
    paid = {each.statement_id: each.paid for each in stored(manage_books).bills}
    assert paid["a%2Fb"] - paid["a/b"] == 1000


@pytest.mark.usefixtures("manage_table")
@pytest.mark.parametrize("value", ["%FF", "%C3", "%ED%A0%80", "x%00", "x" * 513, "%C3%A9" * 257, "%EF%BF%BD"])
@pytest.mark.parametrize("caller", [AWS, LOCAL], ids=["aws", "local"])
def test_an_id_that_is_too_long_or_no_text_is_a_404(value: str, caller: Caller) -> None:
    assert caller.get(f"{ORGANIZATION}/bills/{value}").status == 404
    assert caller.get(f"/v1/organizations/{value}").status == 404


def test_bytes_that_are_no_utf_8_stand_for_no_sign() -> None:
    with pytest.raises(UnreadableIdError):
        decoded_id("%FF")
    assert decoded_id(canonical_path({"resource": "{id}", "pathParameters": {"id": "%C3%A9%2f"}})) == "é/"


# --- what is sent with such an id ------------------------------------------------------------------------------------


@pytest.fixture
def partner(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Partner:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return Partner()


@pytest.mark.parametrize("value", ["S/01-03/7", "/", "a/", "/a", ".", ".."])
def test_a_new_bill_or_account_whose_address_nobody_could_call_is_refused(partner: Partner, value: str) -> None:
    [of_bill] = partner.send(statement(statementId=value)).body["statements"]
    assert (of_bill["result"], pointers(of_bill)) == ("Failed", ["/statementId"])
    named = statement(statementId="S-9")
    named["guarantor"]["guarantorId"] = f"G{value}/1"
    [of_account] = partner.send(named).body["statements"]
    assert (of_account["result"], pointers(of_account)) == ("Failed", ["/guarantor/guarantorId"])


@pytest.mark.parametrize("value", ["A%2Fb", "a.b", "...", "a\\b", "a?b#c", "50%"])
def test_any_other_id_is_taken_and_leads_back_to_its_bill(partner: Partner, value: str) -> None:
    assert results(partner.send(statement(statementId=value))) == ["Created"]
    for caller in (AWS, LOCAL):
        assert caller.get(f"{ORGANIZATION}/bills/{encoded(value)}").body["statementId"] == value


def test_a_bill_that_has_such_an_id_already_goes_on(partner: Partner, manage_books: AccountBooks) -> None:
    """What it owes must not stand still."""
    sent = statement(statementId="a/b", statementDate=str(NOW.date()))
    sent["guarantor"]["guarantorId"] = "G/1"
    manage_books.commit(Change(account=account(account_id="G/1"), bills=(bill("a/b"),)))
    assert results(partner.send(sent)) == ["Updated"]
    assert AWS.get(f"{ORGANIZATION}/bills/a%2Fb").status == 200
    assert AWS.get(f"{ORGANIZATION}/accounts/G%2F1").status == 200
