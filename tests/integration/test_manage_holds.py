"""Holds by the API: set with a reason and an end, shown, over by themselves, lifted; and who is named in histories."""

from dataclasses import replace
from datetime import timedelta
from secrets import token_bytes
from typing import Any

import pytest

from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.objections import Said, object_to
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import BillStatus, ObjectionKind
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, account, notice
from tests.worlds.manage_api import ACCOUNT, BILL, ORGANIZATION, OWN, pointers, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")

HOLDS = f"{ACCOUNT}/holds"
DISPUTE = {"hold": "Dispute", "reason": "asked us to wait", "until": "2026-03-10"}
LATER = replace(OWN, at=NOW + timedelta(days=8))
"""On the morning of March 10."""


def test_a_hold_is_shown_with_reason_beginning_end_and_person(manage_books: AccountBooks) -> None:
    store(manage_books)
    answer = OWN.post(HOLDS, DISPUTE, Dunlin_Actor="Rita Desk")
    assert (answer.status, answer.body["holds"]) == (200, ["Dispute"])
    detail = {**DISPUTE, "since": "2026-03-02T15:00:00.000Z", "by": "Rita Desk"}
    assert answer.body["holdDetails"] == [detail]
    assert OWN.get(ACCOUNT).body["holdDetails"] == [detail]


def test_without_a_named_person_the_key_set_it(manage_books: AccountBooks) -> None:
    store(manage_books)
    assert OWN.post(HOLDS, DISPUTE).body["holdDetails"][0]["by"] == "key:k1"


def test_a_hold_that_is_over_is_shown_no_more_and_refuses_nothing(manage_books: AccountBooks) -> None:
    """Whether or not the scheduler has ended it yet."""
    store(manage_books)
    OWN.post(HOLDS, DISPUTE)
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).body["type"].endswith("account-on-hold")
    shown = LATER.get(ACCOUNT).body
    assert (shown["holds"], shown["holdDetails"]) == ([], [])
    assert LATER.post(f"{BILL}/notifications", {"channel": "email"}).status == 202
    book = stored(manage_books)
    assert not book.account.holds
    assert "HoldEnded" in {event.event for event in book.history}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"reason": " "}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"hold": "Odd"}, "/hold"),
        ({"until": "2026-03-02"}, "/until"),
        ({"until": "2026-03-01"}, "/until"),
        ({"until": "soon"}, "/until"),
    ],
)
def test_a_hold_needs_a_reason_and_an_end_to_come(manage_books: AccountBooks, change: Any, pointer: str) -> None:
    store(manage_books)
    answer = OWN.post(HOLDS, DISPUTE | change)
    assert (answer.status, pointers(answer.body)) == (422, [pointer])
    assert not stored(manage_books).account.holds


def test_a_hold_is_lifted_with_a_reason(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.post(HOLDS, DISPUTE)
    assert OWN.call("DELETE", f"{HOLDS}/Dispute").status == 400
    assert OWN.call("DELETE", f"{HOLDS}/Dispute?reason={'x' * 201}").status == 400
    answer = OWN.call("DELETE", f"{HOLDS}/Dispute?reason=settled", Dunlin_Actor="Rita Desk")
    assert (answer.status, answer.body["holds"], answer.body["holdDetails"]) == (200, [], [])
    lifted = stored(manage_books).history[-1]
    assert (lifted.event, lifted.reason, lifted.by) == ("HoldLifted", "settled", "Rita Desk")


@pytest.mark.parametrize("hold", ["Dispute", "Odd", "dispute"])
def test_a_hold_that_the_account_is_not_on_is_not_there(manage_books: AccountBooks, hold: str) -> None:
    store(manage_books)
    assert OWN.call("DELETE", f"{HOLDS}/{hold}?reason=settled").status == 404


def test_an_account_that_is_not_there_has_no_holds() -> None:
    assert OWN.post(HOLDS, DISPUTE).status == 404
    assert OWN.post(HOLDS, DISPUTE | {"until": "2026-03-01"}).status == 404
    assert OWN.call("DELETE", f"{HOLDS}/Dispute?reason=settled").status == 404


def test_an_account_document_can_be_sent_back_as_it_was_read(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.post(HOLDS, DISPUTE)
    document = OWN.get(ACCOUNT).body
    assert OWN.patch(ACCOUNT, document).body == document
    assert OWN.patch(ACCOUNT, {"holdDetails": []}).status == 422


# --- the person behind a write ------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", ACCOUNT, {"holds": ["Hardship"]}),
        ("POST", HOLDS, DISPUTE),
        ("POST", f"{BILL}/status", {"status": "Suspended", "reason": "asked"}),
        ("POST", f"{BILL}/payments", {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}),
        ("POST", f"{BILL}/notifications", {"channel": "email"}),
        ("POST", "/v1/organizations/org_1/notifications/ntc_1/cancel", {}),
    ],
)
def test_every_act_names_the_person_in_the_bills_history(
    manage_books: AccountBooks, method: str, path: str, body: Any
) -> None:
    store(manage_books, notices=(notice(),))
    assert OWN.call(method, path, body, Dunlin_Actor="José Desk").status < 300
    named = [event for event in OWN.get(f"{BILL}/history").body["items"] if event["actor"] == "key:k1"]
    assert named
    assert {event["by"] for event in named} == {"José Desk"}


def test_a_notification_names_the_person_in_its_history(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(notice(),))
    path = "/v1/organizations/org_1/notifications/ntc_1"
    OWN.post(f"{path}/cancel", {}, Dunlin_Actor="Rita Desk")
    last = OWN.get(path).body["statusHistory"][-1]
    assert (last["actor"], last["by"]) == ("key:k1", "Rita Desk")


def test_a_name_in_utf_8_is_read_however_the_gateway_hands_it_over(manage_books: AccountBooks) -> None:
    store(manage_books)
    for given in ("José Desk", "José Desk".encode().decode("latin-1")):
        OWN.post(HOLDS, DISPUTE | {"reason": given[:3] + "x" * len(given)}, Dunlin_Actor=given)
        assert OWN.get(ACCOUNT).body["holdDetails"][0]["by"] == "José Desk"


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "Rita\tDesk", "Rita\u200bDesk"])
def test_a_name_that_cannot_be_one_is_refused_before_anything_happens(manage_books: AccountBooks, name: str) -> None:
    store(manage_books, account())
    assert OWN.post(HOLDS, DISPUTE, Dunlin_Actor=name).status == 400
    assert not stored(manage_books).account.holds


# --- what the patient said ------------------------------------------------------------------------------------------


def says_it_is_wrong(books: AccountBooks, account_id: str = "G-1") -> str:
    """An objection at the pages; answers its task's id."""
    book = stored(books, account_id)
    lives = timedelta(days=30)
    link = new_payment_link(org_id="org_1", account_id=account_id, now=NOW, lives=lives, random=token_bytes).link
    (change,) = object_to(book, [], link, Said(kind=ObjectionKind.WRONG_AMOUNT, text="Too much"), NOW)
    books.commit(change)
    (task,) = change.tasks
    return task.task_id


def test_resolving_an_objection_lets_dunning_go_on(manage_books: AccountBooks) -> None:
    store(manage_books)
    task_id = says_it_is_wrong(manage_books)
    said = {"taskId": task_id, "kind": "WrongAmount", "saidAt": "2026-03-02T15:00:00.000Z", "statementId": None}
    assert OWN.get(ACCOUNT).body["objections"] == [said]
    [task] = OWN.get(f"{ORGANIZATION}/tasks?kind=PatientObjection").body["items"]
    assert task["facts"] == {"objection": "WrongAmount", "recipient": "guarantor", "text": "Too much"}
    answer = LATER.post(
        f"{ORGANIZATION}/tasks/{task_id}/resolve", {"resolution": "corrected"}, Dunlin_Actor="Rita Desk"
    )
    assert (answer.status, "text" in answer.body["facts"]) == (200, False)
    account_now = stored(manage_books).account
    assert (account_now.objections, account_now.planning_at) == ((), LATER.at)
    settled = stored(manage_books).history[-1]
    assert (settled.event, settled.by, settled.facts) == ("ObjectionSettled", "Rita Desk", {"taskId": task_id})
    assert OWN.post(f"{ORGANIZATION}/tasks/{task_id}/resolve", {"resolution": "corrected"}).status == 409


def test_an_objection_is_settled_in_the_other_account_that_its_bill_went_to(manage_books: AccountBooks) -> None:
    store(manage_books)
    task_id = says_it_is_wrong(manage_books)
    book = stored(manage_books)
    manage_books.commit(Change(account=replace(account(account_id="G-2"), objections=book.account.objections)))
    gone = replace(book.bills[0], status=BillStatus.CANCELLED, moved_to="G-2")
    manage_books.commit(Change(account=book.account, bills=(gone,)))
    OWN.post(f"{ORGANIZATION}/tasks/{task_id}/resolve", {"resolution": "corrected"})
    assert [stored(manage_books, each).account.objections for each in ("G-1", "G-2")] == [(), ()]


def test_what_the_patient_said_is_read_only_and_stays_when_staff_change_the_account(manage_books: AccountBooks) -> None:
    store(manage_books)
    says_it_is_wrong(manage_books)
    assert OWN.patch(ACCOUNT, {"objections": []}).status == 422
    assert OWN.patch(ACCOUNT, {"remindOn": "2026-03-09"}).status == 422
    assert len(OWN.patch(ACCOUNT, {"language": "es"}).body["objections"]) == 1


def test_the_day_to_be_reminded_on_is_shown_until_it_comes(manage_books: AccountBooks) -> None:
    store(manage_books, account(remind_on=LATER.at.date()))
    assert OWN.get(ACCOUNT).body["remindOn"] == "2026-03-10"
    assert LATER.get(ACCOUNT).body["remindOn"] is None


def test_staff_may_write_to_who_objected(manage_books: AccountBooks) -> None:
    """It is they who answer; a hold is what keeps staff from writing too."""
    store(manage_books)
    says_it_is_wrong(manage_books)
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).status == 202


def test_a_past_day_tells_what_the_patient_had_said(manage_books: AccountBooks) -> None:
    store(manage_books)
    task_id = says_it_is_wrong(manage_books)
    LATER.post(f"{ORGANIZATION}/tasks/{task_id}/resolve", {"resolution": "corrected"})
    after = replace(OWN, at=NOW + timedelta(days=20))

    def found(day: str) -> list[str]:
        rule = "objections and reminder days of the patient"
        answer = after.get(f"{BILL}/explanation?on={day}").body
        return [entry["found"] for entry in answer["findings"] if entry["rule"] == rule]

    objected = ["a patient's objection is not settled: WrongAmount"]
    assert [found(day) for day in ("2026-03-02", "2026-03-09")] == [objected, objected]
    assert found("2026-03-10") == ["no objection, and no day to be reminded on"]
