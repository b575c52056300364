"""Accounts: what is shown of a guarantor, and what a person may change."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.account.contacts import GUARANTOR, PATIENT, number_hash
from shared.domain.account.number_stops import NumberStop
from shared.domain.records.policy import DunningSettings
from shared.domain.records.statement import OptOuts
from shared.domain.texting.text_consent import stop_texts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import BillStatus, Channel, Hold, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from tests.worlds.examples import NOW, account, bill, notice, received
from tests.worlds.manage_api import ACCOUNT, OWN, pointers, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")


def test_an_account_shows_contact_preferences_balance_and_credit(manage_books: AccountBooks) -> None:
    store(manage_books, account(credit=5_00), bills=(bill("S-1"), bill("S-2", status=BillStatus.PAID, balance=0)))
    shown = OWN.get(ACCOUNT).body
    assert shown["accountId"] == "G-1"
    assert shown["contact"]["email"] == "ada@example.com"
    assert shown["contact"]["address"]["city"] == "Albany"
    assert shown["language"] == "en"
    assert shown["optOuts"] == {"email": False, "sms": False, "print": False}
    assert shown["holds"] == []
    assert shown["balance"] == "74.60"
    assert shown["credit"] == "5.00"


def test_a_hold_is_set_and_cancels_what_is_pending_at_once(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(notice(), notice(notice_id="ntc_2", status=NoticeStatus.SENT)))
    changed = OWN.patch(ACCOUNT, {"holds": ["Dispute"]})
    assert changed.body["holds"] == ["Dispute"]
    book = stored(manage_books)
    assert book.account.holds == {Hold.DISPUTE}
    assert book.account.planning_at == NOW
    statuses = {row.notice_id: row.status for row in book.notices}
    assert statuses == {"ntc_1": NoticeStatus.CANCELLED, "ntc_2": NoticeStatus.SENT}
    last = next(row for row in book.notices if row.notice_id == "ntc_1").status_history[-1]
    assert (last.actor, last.reason) == ("key:k1", "on hold: Dispute")
    assert [event.event for event in book.history] == ["HoldSet"]


def test_an_opt_out_cancels_what_waits_on_its_channel_only(manage_books: AccountBooks) -> None:
    text = notice(notice_id="ntc_2", channel=Channel.SMS)
    store(manage_books, notices=(notice(), text))
    OWN.patch(ACCOUNT, {"optOuts": {"sms": True}})
    assert {row.notice_id: row.status for row in stored(manage_books).notices} == {
        "ntc_1": NoticeStatus.SCHEDULED,
        "ntc_2": NoticeStatus.CANCELLED,
    }


def test_an_opt_out_of_everything_leaves_paper_on(manage_books: AccountBooks) -> None:
    store(manage_books)
    changed = OWN.patch(ACCOUNT, {"optOuts": {"email": True, "sms": True, "print": True}})
    assert changed.body["optOuts"] == {"email": True, "sms": True, "print": False}


def test_a_corrected_address_is_tried_again_and_moves_the_quiet_hours(manage_books: AccountBooks) -> None:
    store(manage_books, account(undeliverable=frozenset({Channel.EMAIL, Channel.SMS})))
    changed = OWN.patch(ACCOUNT, {"contact": {"email": "ada.new@example.com", "address": {"postalCode": "85001"}}})
    assert changed.body["undeliverable"] == ["sms"]
    assert changed.body["contact"]["firstName"] == "Ada"
    assert "America/Phoenix" in stored(manage_books).account.time_zones
    assert stored(manage_books).account.planning_at == NOW


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"holds": ["Vacation"]}, "/holds/0"),
        ({"holds": ["Dispute", "Dispute"]}, "/holds"),
        ({"language": "fr"}, "/language"),
        ({"optOuts": {"email": "yes"}}, "/optOuts/email"),
        ({"contact": {"email": "nobody"}}, "/contact/email"),
        ({"contact": {"mobilePhone": "123"}}, "/contact/mobilePhone"),
        ({"contact": {"lastName": None}}, "/contact/lastName"),
        ({"balance": "0.00"}, "/balance"),
        ({"credit": "9.00"}, "/credit"),
        ({"accountId": "G-2"}, "/accountId"),
    ],
)
def test_a_wrong_change_to_an_account_is_named_and_changes_nothing(
    manage_books: AccountBooks, wrong: dict[str, Any], pointer: str
) -> None:
    store(manage_books)
    before = stored(manage_books)
    answer = OWN.patch(ACCOUNT, wrong)
    assert answer.status == 422
    assert pointers(answer.body) == [pointer]
    assert "nobody" not in answer.text
    assert stored(manage_books) == before


def test_a_change_that_changes_nothing_writes_nothing(manage_books: AccountBooks) -> None:
    store(manage_books)
    before = stored(manage_books)
    assert OWN.patch(ACCOUNT, OWN.get(ACCOUNT).body).status == 200
    assert stored(manage_books) == before


# --- the registry of consent -----------------------------------------------

CONSENTS = f"{ACCOUNT}/consents"


def test_the_registry_tells_who_closed_and_opened_what_by_which_way_oldest_first(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.patch(ACCOUNT, {"optOuts": {"email": True}})
    for number, whose in (("+15185550111", GUARANTOR), ("+15185550199", PATIENT)):
        at = NOW + timedelta(hours=1 if whose == GUARANTOR else 2)
        stop = stop_texts(stored(manage_books), received(number_hash(number), at), frozenset({whose}), "REVOKE", at)
        assert stop is not None
        manage_books.commit(stop)
    replace(OWN, at=NOW + timedelta(hours=3)).patch(ACCOUNT, {"optOuts": {"email": False}})
    answer = OWN.get(CONSENTS)
    assert answer.status == 200
    text = {"channel": "sms", "actor": "recipient", "source": "text message", "wording": "REVOKE"}
    staff = {"channel": "email", "actor": "key:k1", "source": "staff", "wording": None, "party": "guarantor"}
    assert answer.body == {
        "items": [
            {**staff, "consent": "withdrawn", "at": "2026-03-02T15:00:00.000Z"},
            {**text, "consent": "withdrawn", "at": "2026-03-02T16:00:00.000Z", "party": "guarantor"},
            {**text, "consent": "withdrawn", "at": "2026-03-02T17:00:00.000Z", "party": "patient"},
            {**staff, "consent": "given", "at": "2026-03-02T18:00:00.000Z"},
        ],
        "nextCursor": None,
    }


def test_the_registry_of_an_account_that_nobody_closed_is_empty(manage_books: AccountBooks) -> None:
    held = HistoryEvent(at=NOW, event="HoldSet", actor="staff", facts={"hold": "Dispute"})
    store(manage_books, history=(held,))
    assert OWN.get(CONSENTS).body == {"items": [], "nextCursor": None}


def test_what_was_recorded_before_sources_were_has_none(manage_books: AccountBooks) -> None:
    store(manage_books, history=(HistoryEvent(at=NOW, event="OptedOut", actor="partner", facts={"channel": "sms"}),))
    [entry] = OWN.get(CONSENTS).body["items"]
    assert (entry["source"], entry["wording"], entry["party"]) == (None, None, "guarantor")


def test_the_registry_goes_page_by_page(manage_books: AccountBooks) -> None:
    store(manage_books)
    for number in range(3):
        later = replace(OWN, at=NOW + timedelta(hours=number))
        later.patch(ACCOUNT, {"optOuts": {"email": number % 2 == 0}})
    first = OWN.get(f"{CONSENTS}?limit=2").body
    second = OWN.get(f"{CONSENTS}?limit=2&cursor={first['nextCursor']}").body
    told = [(entry["at"][11:13], entry["consent"]) for entry in first["items"] + second["items"]]
    assert told == [("15", "withdrawn"), ("16", "given"), ("17", "withdrawn")]
    assert second["nextCursor"] is None


def test_two_choices_of_one_instant_are_both_in_the_registry(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.patch(ACCOUNT, {"optOuts": {"email": True}})
    OWN.patch(ACCOUNT, {"optOuts": {"email": False}})
    assert [entry["consent"] for entry in OWN.get(CONSENTS).body["items"]] == ["withdrawn", "given"]


def test_the_registry_of_an_account_that_isnt_there_is_a_404() -> None:
    assert OWN.get(CONSENTS).status == 404


# --- a number that said STOP to another account -------------------------------------------------------------------


def say(books: AccountBooks, number: str, *, stopped: bool = True, at: datetime = NOW) -> None:
    """A number that no text about this account went to says STOP, or START."""
    said = NumberStop(number=number_hash(number), stopped=stopped, wording="STOP", said_at=at)
    Numbers(books.client, books.table).record_stop(said)


def test_a_number_that_said_stop_gets_no_texts_on_the_account_that_staff_give_it(manage_books: AccountBooks) -> None:
    say(manage_books, "+15185550188")
    store(manage_books, notices=(notice(channel=Channel.SMS),))
    OWN.patch(ACCOUNT, {"contact": {"mobilePhone": "518-555-0188"}})
    book = stored(manage_books)
    assert book.account.stopped_numbers == {number_hash("+15185550188")}
    assert [row.status for row in book.notices] == [NoticeStatus.CANCELLED]
    [shown] = OWN.get(f"{ACCOUNT}/consents").body["items"]
    assert (shown["channel"], shown["source"], shown["wording"]) == ("sms", "text message", "STOP")
    [found] = Numbers(manage_books.client, manage_books.table).known(number_hash("+15185550188")).accounts
    assert found.account_id == "G-1"


def test_what_staff_opt_in_to_undoes_no_stop(manage_books: AccountBooks) -> None:
    number = account().guarantor.mobile_phone
    say(manage_books, number)
    store(manage_books, account(opt_outs=OptOuts(sms=True)))
    OWN.patch(ACCOUNT, {"optOuts": {"sms": False}})
    assert stored(manage_books).account.stopped_numbers == {number_hash(number)}


def test_the_explanation_and_the_forecast_know_of_a_stop_that_the_account_doesnt(manage_books: AccountBooks) -> None:
    practice = Organizations(manage_books.client, manage_books.table)
    found = practice.get("org_1")
    assert found is not None
    practice.save(replace(found, dunning=DunningSettings(configuration_id="text-first")))
    store(manage_books)
    bill_path = "/v1/organizations/org_1/bills/S-1"
    assert OWN.get(f"{bill_path}/forecast").body["items"][0]["channel"] == "sms"
    say(manage_books, account().guarantor.mobile_phone)
    explained = {finding["found"] for finding in OWN.get(f"{bill_path}/explanation").body["findings"]}
    assert any("opted out of texts" in found for found in explained)
    assert "sms" not in {item["channel"] for item in OWN.get(f"{bill_path}/forecast").body["items"]}
    say(manage_books, account().guarantor.mobile_phone, stopped=False, at=NOW + timedelta(minutes=1))
    assert OWN.get(f"{bill_path}/forecast").body["items"][0]["channel"] == "sms"
