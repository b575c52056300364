"""Who is it: no bill goes to another person, and what belongs to a person stays with the person.

Each test plays a case of tests/cases and says its name, or a sibling of one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest.ports import ports as ingest_ports
from shared.domain.account.consents import consents
from shared.domain.account.contacts import number_hash
from shared.domain.account.number_stops import NumberStop
from shared.domain.intake import bill_limit
from shared.domain.intake.bill_limit import MOST_OPEN_BILLS
from shared.domain.records.account import Objection
from shared.domain.records.book import Change, PatientClaim
from shared.domain.records.policy import DunningSettings
from shared.domain.records.statement import OptOuts
from shared.domain.records.task import TaskKind
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, Hold, ObjectionKind
from shared.storage.account_books import ConcurrentChangeError
from shared.storage.numbers import Numbers
from tests.worlds.aws import TABLE, listen
from tests.worlds.cases import case, pointers
from tests.worlds.examples import NOW, account, bill, the
from tests.worlds.families import PHONE, Families, families
from tests.worlds.ingest_api import BUCKET
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EMAILS = DunningSettings(configuration_id="standard-30")
DAY = timedelta(days=1)
PERSON_DIFFERS = "belongs to another person: nothing that both sides say of them agrees"
STRANGER: dict[str, Any] = {
    "guarantor__firstName": "Boris",
    "guarantor__lastName": "Sample",
    "guarantor__dateOfBirth": "1961-04-05",
    "guarantor__email": "boris@example.com",
    "guarantor__mobilePhone": "518-555-0177",
    "guarantor__address": {"line1": "2 Second Street", "city": "Troy", "state": "NY", "postalCode": "12180"},
}


@pytest.fixture
def town(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Families:
    """A practice that texts first, whose function takes statements."""
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return families(dynamodb)


def results(rows: list[dict[str, Any]]) -> list[str]:
    return [row["result"] for row in rows]


def of(account_id: Any, statement_id: str = "S-1", **changes: Any) -> dict[str, Any]:
    """A statement for an account of Ada's; ... for none by name."""
    return statement(statement_id, guarantor__guarantorId=account_id, **changes)


# --- ids that name nobody -----------------------------------------------------------------------------------------


def test_case_01_strangers_under_the_id_0_are_two_accounts(town: Families) -> None:
    rows = town.takes(*case("01").statements())
    assert [(row["result"], pointers(row)) for row in rows] == [("Created", ["/guarantor/guarantorId"])] * 2
    assert town.balances() == {("patient:P-1", "S-1"): 111_11, ("patient:P-2", "S-2"): 222_22}
    assert not town.has("0")


def test_a_guarantors_id_that_is_somebodys_patient_number_is_another_account(town: Families) -> None:
    assert results(town.takes(of(...), of("P-1", "S-2", patients__0__accountId="P-9", **STRANGER))) == ["Created"] * 2
    assert set(town.balances()) == {("patient:P-1", "S-1"), ("P-1", "S-2")}


def test_the_name_space_of_patients_is_closed_to_guarantors(town: Families) -> None:
    (row,) = town.takes(of("patient:P-1"))
    assert (row["result"], [error["pointer"] for error in row["errors"]]) == ("Failed", ["/guarantor/guarantorId"])
    assert town.balances() == {}


@pytest.mark.parametrize("files", [1, 2])
def test_a_placeholder_that_no_list_knows_merges_no_strangers(town: Families, files: int) -> None:
    both = of("77777"), of("77777", "S-2", patients__0__accountId="P-2", **STRANGER)
    rows = town.takes(*both) if files == 1 else [*town.takes(both[0]), *town.takes(both[1])]
    assert results(rows) == ["Created", "Failed"]
    assert rows[1]["errors"] == [{"pointer": "/guarantor/guarantorId", "detail": PERSON_DIFFERS}]
    assert (town.balances(), town.account("77777").account.guarantor.first_name) == ({("77777", "S-1"): 74_60}, "Ada")


def test_a_name_that_changed_is_the_same_person(town: Families) -> None:
    renamed = of(
        "G-1", "S-2", guarantor__firstName="A.", guarantor__lastName="Sample", guarantor__email="new@example.com"
    )
    assert results(town.takes(of("G-1"), renamed)) == ["Created", "Created"]
    assert town.account("G-1").account.guarantor.name == "A. Sample"


def test_a_bill_stays_where_it_is_when_its_new_account_is_another_persons(town: Families) -> None:
    town.takes(of("G-1"), of("G-2", "S-2", patients__0__accountId="P-2", **STRANGER))
    assert results(town.takes(of("G-2", totalBalance="70.00"))) == ["Failed"]
    assert town.balances() == {("G-1", "S-1"): 74_60, ("G-2", "S-2"): 74_60}


# --- accounts that were stored before ----------------------------------------------------------------------------


def test_strangers_who_became_one_account_are_told_apart_by_their_next_statements(town: Families) -> None:
    old = account(account_id="0", opt_outs=OptOuts(email=True), holds=frozenset({Hold.HARDSHIP}), credit=5_00)
    guarantor = replace(old.guarantor, guarantor_id="0")
    bills = bill(), bill("S-2", patient_account_ids=("P-2",))
    town.books.commit(Change(account=replace(old, guarantor=guarantor), bills=bills))
    today = {"statementDate": "2026-03-02"}
    rows = town.takes(of("0", **today), of("0", "S-2", patients__0__accountId="P-2", **today, **STRANGER))
    assert results(rows) == ["Updated", "Updated"]
    assert town.balances() == {("patient:P-1", "S-1"): 69_60, ("patient:P-2", "S-2"): 74_60}  # the credit is used
    own, other = town.account("patient:P-1").account, town.account("patient:P-2").account
    assert (own.opt_outs.email, own.holds, own.credit) == (True, frozenset({Hold.HARDSHIP}), 0)
    assert (other.opt_outs.email, other.holds, other.credit) == (False, frozenset(), 0)
    assert town.account("0").account.credit == 0


def test_an_account_under_a_patients_number_alone_goes_on_under_it(town: Families) -> None:
    old = account(account_id="P-1", opt_outs=OptOuts(sms=True))
    town.books.commit(Change(account=replace(old, guarantor=replace(old.guarantor, guarantor_id="")), bills=(bill(),)))
    assert results(town.takes(of(..., totalBalance="70.00", statementDate="2026-03-02"), of(..., "S-2"))) == [
        "Updated",
        "Created",
    ]
    assert town.balances() == {("P-1", "S-1"): 70_00, ("P-1", "S-2"): 74_60}
    assert results(town.takes(of(..., "S-3", **STRANGER))) == ["Created"]
    assert town.balances()["patient:P-1", "S-3"] == 74_60


# --- Lifetime ----------------------------------------------------------------------------------------------------


def test_case_03_only_the_second_parent_hears(town: Families, dynamodb: "DynamoDBClient") -> None:
    given = case("03")
    town.takes(*given.statements("first"), schema="lifetime")
    assert results(town.takes(*given.statements("then"), at=NOW + DAY, schema="lifetime")) == ["Updated"]
    assert town.balances() == {("G-2", "S-2"): 71_00}
    town.practice.plan(NOW + DAY)
    assert [row.status_reason for row in town.account("G-1").bills] == ["moved to another guarantor"]
    assert [row for row in town.account("G-1").notices if row.status == "Scheduled"] == []


def test_two_parents_in_one_file_are_not_both_dunned(town: Families) -> None:
    given = case("03")
    rows = town.takes(*given.statements("first"), *given.statements("then"), schema="lifetime")
    assert results(rows) == ["Created", "Updated"]
    assert town.balances() == {("G-2", "S-2"): 71_00}


def test_of_two_files_at_once_one_decides_again(town: Families) -> None:
    claim = PatientClaim(patient_account_id="P-1", read_account_id="")
    town.books.commit(Change(account=account(), claims=(claim,)))
    with pytest.raises(ConcurrentChangeError):
        town.books.commit(Change(account=account(account_id="G-2"), claims=(claim,)))
    assert town.books.having_lifetime_bills("org_1", ["P-1", "P-2"]) == {"P-1": "G-1"}
    moved = replace(claim, read_account_id="G-1")
    town.books.commit(Change(account=account(account_id="G-2"), claims=(moved,)))
    with pytest.raises(ConcurrentChangeError):
        town.books.commit(Change(account=account(account_id="G-3"), claims=(moved,)))


def meanwhile(town: Families, act: Callable[[], object]) -> None:
    """Somebody else acts after the next transaction was decided, before it is written."""
    acted = list[bool]()

    def once(**_: Any) -> None:
        if not acted:
            acted.append(True)
            act()

    listen(ingest_ports().books.client, "before-call.dynamodb.TransactWriteItems", once)


@pytest.mark.parametrize("schema", ["episodic", "lifetime"])
def test_a_new_statement_under_two_guarantors_at_once_has_one_bill(town: Families, schema: str) -> None:
    """Whoever wins, the other takes the bill over as if it had come later: nobody else is dunned for it."""
    meanwhile(town, lambda: town.takes(of("G-1"), schema=schema))
    assert results(town.takes(of("G-2"), schema=schema)) == ["Updated"]
    assert town.balances() == {("G-2", "S-1"): 74_60}
    assert town.account("G-1").bills[0].moved_to == "G-2"


def test_the_claim_of_a_statement_leads_to_its_bill_wherever_that_went(town: Families) -> None:
    """Though the index may not know of the bill yet."""

    def first_here_then_there() -> None:
        town.takes(of("G-1"))
        town.takes(of("G-2"), at=NOW + DAY)

    meanwhile(town, first_here_then_there)
    assert results(town.takes(of("G-3"), at=NOW + 2 * DAY)) == ["Updated"]
    assert town.balances() == {("G-3", "S-1"): 74_60}


def test_payments_that_a_partner_reports_follow_a_bill_that_moves_meanwhile(town: Families) -> None:
    town.takes(of("G-1"))
    meanwhile(town, lambda: town.takes(of("G-2"), at=NOW + DAY))
    update = {
        "statementId": "S-1",
        "clientId": "NORTH",
        "partnerTransactions": [{"transactionDate": "2026-03-02", "transactionAmt": "70.00", "transactionId": "T-1"}],
    }
    assert results(town.takes(update, at=NOW + DAY, schema="payment-updates")) == ["Updated"]
    assert town.balances() == {("G-2", "S-1"): 4_60}
    assert town.account("G-1").account.credit == 0
    assert town.money() == 70_00


def test_a_statement_for_two_patients_takes_the_bills_of_both_from_both_parents(town: Families) -> None:
    second = {"patients__0__accountId": "P-2"}
    town.takes(of("G-1"), of("G-2", "S-2", **second), schema="lifetime")
    both = of("G-2", "S-3", totalBalance="150.00")
    both["patients"].append({**both["patients"][0], "accountId": "P-2"})
    assert results(town.takes(both, at=NOW + DAY, schema="lifetime")) == ["Updated"]
    assert town.balances() == {("G-2", "S-3"): 150_00}
    assert set(town.account("G-2").bills[-1].amends or town.account("G-2").bills[0].amends) <= {"S-1", "S-2"}


def test_an_identical_lifetime_statement_makes_up_for_a_claim_of_the_days_before(town: Families) -> None:
    town.takes(of("G-1"), schema="lifetime")
    pointer = {"pk": {"S": "L#org_1#P-1"}, "sk": {"S": "@"}}
    town.practice.dynamodb.delete_item(TableName=TABLE, Key=pointer)
    assert results(town.takes(of("G-1"), schema="lifetime")) == ["Ignored"]
    assert town.books.having_lifetime_bills("org_1", ["P-1"]) == {"P-1": "G-1"}
    assert results(town.takes(of("G-2", "S-2"), at=NOW + DAY, schema="lifetime")) == ["Updated"]
    assert town.balances() == {("G-2", "S-2"): 74_60}


# --- STOP --------------------------------------------------------------------------------------------------------


def test_case_04_no_text_to_a_number_that_said_stop_on_an_account_that_comes_later(town: Families) -> None:
    given = case("04")
    town.takes(*given.statements("first"))
    assert town.goes_out("G-1") == [(Channel.SMS, PHONE)]
    town.hears(given.inputs["text"])
    week = NOW + 7 * DAY
    town.takes(*given.statements("then"), at=week)
    assert town.goes_out("G-2", at=week) == []
    assert town.refusals("G-2") == {Channel.SMS: Reason.OPTED_OUT_SMS}
    [told] = consents(town.account("G-2"))
    assert (told.channel, told.given, told.source, told.wording) == (Channel.SMS, False, "text message", "STOP")


def test_a_stop_holds_where_the_account_was_there_and_had_no_text_yet(town: Families) -> None:
    town.takes(of("G-1"), of("G-2", "S-2"))
    number = town.account("G-2").account.guarantor.mobile_phone
    town.goes_out("G-1")
    town.practice.plan()
    town.hears("STOP", number)
    assert town.goes_out("G-2") == []
    assert town.refusals("G-2") == {Channel.SMS: Reason.OPTED_OUT_SMS}
    assert [each.given for each in consents(town.account("G-2"))] == [False]


def test_start_opens_again_what_a_stop_held_on_every_account(town: Families) -> None:
    given = case("04")
    town.takes(*given.statements("first"))
    town.goes_out("G-1")
    town.hears("STOP")
    town.takes(*given.statements("then"), at=NOW + DAY)
    town.hears("START", at=NOW + DAY)
    assert town.goes_out("G-2", at=NOW + DAY) == [(Channel.SMS, PHONE)]
    assert [each.given for each in consents(town.account("G-2"))] == [False, True]


def test_a_start_that_comes_late_opens_nothing(town: Families) -> None:
    town.hears("STOP", at=NOW + DAY)
    town.hears("START", at=NOW)
    assert Numbers(*town.stores).stop(number_hash(PHONE)) == NumberStop(
        number=number_hash(PHONE), stopped=True, wording="STOP", said_at=NOW + DAY
    )


def test_case_05_a_stop_goes_along_when_the_account_gets_another_key(town: Families) -> None:
    given = case("05")
    town.takes(*given.statements("first"))
    assert town.goes_out("patient:P-1") == [(Channel.SMS, PHONE)]
    town.hears(given.inputs["text"])
    later = NOW + 14 * DAY
    assert results(town.takes(*given.statements("then"), at=later)) == ["Updated", "Created"]
    assert town.goes_out("G-9", at=later) == [(Channel.EMAIL, "ada@example.com")]
    after = town.account("G-9")
    assert after.account.opt_outs.sms
    assert [(each.channel, each.given, each.at) for each in consents(after)] == [(Channel.SMS, False, NOW)]


# --- what goes along ---------------------------------------------------------------------------------------------


def test_what_belongs_to_the_person_goes_to_the_persons_other_key(town: Families) -> None:
    town.takes(of(...))
    known = town.account("patient:P-1").account
    burdened = replace(
        known,
        opt_outs=OptOuts(email=True),
        holds=frozenset({Hold.DECEASED}),
        undeliverable=frozenset({Channel.SMS}),
        credit=12_34,
    )
    town.books.commit(Change(account=burdened))
    town.takes(of("G-9"), at=NOW + DAY)
    after, left = town.account("G-9").account, town.account("patient:P-1").account
    assert (after.opt_outs.email, after.holds, after.undeliverable) == (
        True,
        frozenset({Hold.DECEASED}),
        frozenset({Channel.SMS}),
    )
    assert (after.credit, left.credit, town.money()) == (0, 0, 0)
    assert town.balances() == {("G-9", "S-1"): 74_60 - 12_34}  # the credit is used


def test_a_bounced_contact_that_was_corrected_doesnt_go_along(town: Families) -> None:
    town.takes(of(...))
    known = town.account("patient:P-1").account
    town.books.commit(Change(account=replace(known, undeliverable=frozenset({Channel.SMS, Channel.EMAIL}))))
    town.takes(of("G-9", guarantor__email="new@example.com"), at=NOW + DAY)
    assert town.account("G-9").account.undeliverable == {Channel.SMS}


def test_to_another_person_goes_only_what_is_the_bills(town: Families) -> None:
    town.takes(of("G-1"))
    known = town.account("G-1").account
    holds = frozenset({Hold.DISPUTE, Hold.HARDSHIP})
    town.books.commit(Change(account=replace(known, opt_outs=OptOuts(sms=True), holds=holds, credit=12_34)))
    assert results(town.takes(of("G-2", **STRANGER), at=NOW + DAY)) == ["Updated"]
    book, left = town.account("G-2"), town.account("G-1").account
    assert (book.account.opt_outs, book.account.holds, book.account.credit) == (OptOuts(), frozenset(), 0)
    assert [(each.status, each.status_reason) for each in book.bills] == [(BillStatus.SUSPENDED, "on hold: Dispute")]
    assert (left.holds, left.credit) == (frozenset({Hold.HARDSHIP}), 12_34)


@pytest.mark.parametrize(("statement_id", "status"), [("", "Suspended"), ("S-1", "Suspended"), ("S-9", "Due")])
def test_what_the_patient_said_goes_along(town: Families, statement_id: str, status: str) -> None:
    """To the person's other account as it was said; to another's as a bill that nobody is reminded of."""
    said = Objection(task_id="tsk_1", kind=ObjectionKind.NOT_MINE, said_at=NOW, statement_id=statement_id)
    wait = (NOW + 9 * DAY).date()
    town.takes(of(...))
    known = town.account("patient:P-1").account
    town.books.commit(Change(account=replace(known, objections=(said,), remind_on=wait)))
    town.takes(of("G-9"), at=NOW + DAY)
    after = town.account("G-9").account
    assert (after.objections, after.remind_on) == ((said,), wait)
    assert results(town.takes(of("G-2", **STRANGER), at=NOW + 2 * DAY)) == ["Updated"]
    book = town.account("G-2")
    assert (book.account.objections, book.account.remind_on) == ((), None)
    assert [each.status for each in book.bills] == [status]


def test_a_step_that_went_isnt_sent_again_to_the_same_person(town: Families) -> None:
    town.takes(of(...))
    assert len(town.goes_out("patient:P-1")) == 1
    town.takes(of("G-9"), at=NOW + DAY)
    assert town.goes_out("G-9", at=NOW + DAY) == []
    assert len(town.goes_out("G-9", at=NOW + 10 * DAY)) == 2


# --- money under way ---------------------------------------------------------------------------------------------


def test_case_07_the_money_reaches_the_bill_wherever_it_is(town: Families) -> None:
    given = case("07")
    town.takes(*given.statements("first"))
    reference = town.checkout(town.link("G-1"), 60_00)
    town.takes(*given.statements("then"), at=NOW + DAY)
    for _ in range(2):  # the processor says it twice
        town.approves(reference, 60_00, NOW + DAY)
    assert (town.balances(), town.money()) == ({}, 60_00)
    assert [each.status for each in town.account("G-2").bills] == [BillStatus.PAID]
    assert (town.account("G-1").account.credit, town.account("G-2").account.credit) == (0, 0)
    receipts = [row.account_id for name in ("G-1", "G-2") for row in town.account(name).notices if row.payment_id]
    assert receipts == ["G-1"]
    assert town.goes_out("G-2", at=NOW + DAY) == []


def test_money_for_several_bills_finds_each(town: Families) -> None:
    town.takes(of("G-1"), of("G-1", "S-2", totalBalance="40.00"))
    reference = town.checkout(town.link("G-1"), 100_00)
    town.takes(of("G-2", **STRANGER), at=NOW + DAY)
    town.approves(reference, 100_00, NOW + DAY)
    assert (town.balances(), town.money()) == ({("G-1", "S-2"): 14_60}, 100_00)


def test_money_follows_a_lifetime_bill_that_was_replaced_at_its_new_account(town: Families) -> None:
    given = case("03")
    town.takes(*given.statements("first"), schema="lifetime")
    reference = town.checkout(town.link("G-1", "S-1"))
    town.takes(*given.statements("then"), at=NOW + DAY, schema="lifetime")
    town.approves(reference, 71_00, NOW + DAY)
    assert (town.balances(), town.money()) == ({}, 71_00)
    assert the(town.account("G-2"), "S-2").status is BillStatus.PAID


def test_what_the_bill_doesnt_need_any_more_is_the_payers_credit(town: Families) -> None:
    town.takes(of("G-1"))
    reference = town.checkout(town.link("G-1"))
    town.takes(of("G-2", totalBalance="50.00", **STRANGER), at=NOW + DAY)
    town.approves(reference, 74_60, NOW + DAY)
    assert (town.balances(), town.account("G-1").account.credit, town.money()) == ({}, 24_60, 74_60)


def test_payments_go_along_and_stand_in_both_ledgers_once(town: Families) -> None:
    town.takes(of("G-1"), of("G-1", "S-2", totalBalance="40.00"))
    town.approves(town.checkout(town.link("G-1"), 94_60), 94_60)
    town.takes(of("G-2", "S-2", totalBalance="20.00", **STRANGER), at=NOW + DAY)
    ledger = {name: [each.amount for each in town.account(name).payments] for name in ("G-1", "G-2")}
    assert ({name: sum(amounts) for name, amounts in ledger.items()}, town.money()) == (
        {"G-1": 74_60, "G-2": 20_00},
        94_60,
    )
    assert the(town.account("G-2"), "S-2").paid == 20_00
    town.takes(of("G-1", "S-2", totalBalance="20.01"), at=NOW + 2 * DAY)
    assert (sum(each.amount for each in town.account("G-1").payments), town.money()) == (94_60, 94_60)


def test_a_link_for_one_bill_leads_to_it_and_shows_nothing_of_its_new_guarantor(town: Families) -> None:
    town.takes(of("G-1"), of("G-1", "S-2"))
    one, whole = town.link("G-1", "S-1"), town.link("G-1")
    town.takes(of("G-2", totalBalance="60.00", **STRANGER), at=NOW + DAY)
    seen = town.visit(one, NOW + DAY)
    assert ([each.statement_id for each in seen.bills], seen.total) == (["S-1"], 60_00)
    assert seen.book.account.account_id == "G-1"
    assert b"Boris" not in b"".join(each.document for each in seen.bills)
    assert [each.statement_id for each in town.visit(whole, NOW + DAY).bills] == ["S-2"]
    town.approves(town.checkout(one, at=NOW + DAY), 60_00, NOW + DAY)
    assert town.balances() == {("G-1", "S-2"): 74_60}


def test_an_accounts_link_goes_along_with_the_same_person(town: Families) -> None:
    town.takes(of(...))
    token = town.link("patient:P-1")
    town.takes(of("G-9"), at=NOW + DAY)
    assert town.visit(token, NOW + DAY).total == 74_60


# --- very many bills ---------------------------------------------------------------------------------------------


def test_an_account_with_very_many_bills_takes_no_more_and_staff_get_one_task(town: Families) -> None:
    town.books.commit(Change(account=account()))
    names = [f"B-{n}" for n in range(MOST_OPEN_BILLS)]
    for some in batched(names, 90, strict=False):
        known = town.account("G-1").account
        town.books.commit(Change(account=known, bills=tuple(bill(name) for name in some)))
    rows = town.takes(
        of("G-1"), of("G-1", "S-2"), of("G-1", "B-0", totalBalance="70.00", statementDate="2026-03-02"), at=NOW + DAY
    )
    assert results(rows) == ["Failed", "Failed", "Updated"]
    assert [error["pointer"] for row in rows for error in row["errors"]] == ["/guarantor/guarantorId"] * 2
    [task] = town.tasks()
    assert (task.kind, task.account_id, task.facts) == (TaskKind.TOO_MANY_BILLS, "G-1", {"openBills": "500"})
    assert results(town.takes(of("G-1", "B-0", totalBalance="0.00"), of("G-1"), at=NOW + DAY)) == ["Updated", "Created"]


def test_a_bill_isnt_taken_from_its_account_by_one_that_takes_no_more(
    town: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_limit, "MOST_OPEN_BILLS", 1)
    town.takes(of("G-1"), of("G-2", "S-2"))
    assert results(town.takes(of("G-1", "S-2"), at=NOW + DAY)) == ["Failed"]
    assert set(town.balances()) == {("G-1", "S-1"), ("G-2", "S-2")}


# --- households --------------------------------------------------------------------------------------------------


def test_case_69_two_ids_of_the_practice_stay_two_accounts(town: Families) -> None:
    """Whether they are one person only the practice knows: it numbered them apart."""
    assert results(town.takes(*case("69").statements())) == ["Created", "Created"]
    assert set(town.balances()) == {("G-1", "S-1"), ("G-2", "S-2")}
