"""A notification is sent once more by the API."""

from dataclasses import replace

import pytest

from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import Hold, NoticeStatus
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, account, notice
from tests.worlds.manage_api import ACCOUNT, OWN, QUEUE, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")

SENT = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
RESEND = f"{QUEUE}/ntc_1/resend"


def test_a_notification_that_went_is_sent_again_as_it_was(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(SENT,))
    answer = OWN.post(RESEND, {"reason": "lost it"}, Dunlin_Actor="Rita Desk")
    assert answer.status == 202
    shown = OWN.get(f"{QUEUE}/{answer.body['notificationId']}").body
    assert (shown["status"], shown["channel"], shown["notificationType"]) == ("Scheduled", "email", "OnDemand")
    assert shown["statusHistory"][0]["by"] == "Rita Desk"


def test_a_request_sent_twice_under_one_key_sends_once(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(SENT,))
    first, again = (OWN.post(RESEND, {}, Idempotency_Key="k-1") for _ in range(2))
    assert first.body == again.body
    assert len(stored(manage_books).notices) == 2


def test_what_did_not_go_or_cannot_go_is_a_409(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(SENT, notice(notice_id="ntc_2")))
    assert OWN.post(f"{QUEUE}/ntc_2/resend", {}).status == 409
    OWN.patch(ACCOUNT, {"contact": {"email": ""}})
    assert "no email address" in OWN.post(RESEND, {}).body["detail"]


def test_on_hold_it_needs_a_reason_and_some_holds_let_nothing_through(manage_books: AccountBooks) -> None:
    store(manage_books, account(holds=frozenset({Hold.DISPUTE})), notices=(SENT,))
    assert OWN.post(RESEND, {"reason": "lost it"}).body["type"].endswith("account-on-hold")
    assert OWN.post(RESEND, {"overrideHold": True}).status == 422
    assert OWN.post(RESEND, {"overrideHold": True, "reason": "lost it"}).status == 202
    OWN.patch(ACCOUNT, {"holds": ["Deceased"]})
    assert OWN.post(RESEND, {"overrideHold": True, "reason": "lost it"}).status == 409


def test_it_needs_the_scope_to_send_and_a_notification_that_is_there(manage_books: AccountBooks) -> None:
    store(manage_books, notices=(SENT,))
    assert replace(OWN, scopes="read manage").post(RESEND, {}).status == 403
    assert OWN.post(f"{QUEUE}/ntc_9/resend", {}).status == 404
