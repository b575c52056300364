"""Accounts: what is shown of a guarantor, and what a person may change."""

from typing import Any

import pytest

from shared.domain.words import BillStatus, Channel, Hold, NoticeStatus
from shared.storage.account_books import AccountBooks
from tests.examples import NOW, account, bill, notice
from tests.integration.manage_api import ACCOUNT, OWN, pointers, store, stored

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
