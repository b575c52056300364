"""What staff sends from a bill: notices on demand and one-time payment links."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.records.statement import BillTo, Guarantor, OptOuts
from shared.domain.vocabulary.words import (
    AccountStatus,
    BillStatus,
    Channel,
    Hold,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from shared.storage.account_books import AccountBooks
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill
from tests.worlds.manage_api import BILL, ORGANIZATION, OWN, PAID_ONLINE, pointers, store, stored

pytestmark = pytest.mark.usefixtures("manage_table", "paid_online")

LINKS = f"{BILL}/payment-links"
STAFF = {"staffName": "Robin Okafor"}


@pytest.fixture
def paid_online(manage_table: object) -> None:
    """An organization that takes payments online."""
    assert OWN.patch(ORGANIZATION, PAID_ONLINE).status == 200


def document(**patient: str) -> bytes:
    """A statement as a partner sends it, with one patient."""
    person = {"accountId": "P-1", "firstName": "Mia", "lastName": "Example", **patient}
    statement = {
        "statementId": "S-1",
        "clientId": "NORTH",
        "totalBilled": "120.00",
        "totalBalance": "74.60",
        "guarantor": {"firstName": "Ada", "lastName": "Example"},
        "patients": [person],
    }
    return json.dumps(statement).encode()


def without_email(**changes: Any) -> Guarantor:
    return replace(account().guarantor, email="", **changes)


# --- on demand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize(("path", "body"), [(f"{BILL}/notifications", {"channel": "email"}), (LINKS, STAFF)])
def test_an_account_on_hold_is_written_to_only_with_a_reason(
    manage_books: AccountBooks, hold: Hold, path: str, body: dict[str, str]
) -> None:
    store(manage_books, account(holds=frozenset({hold})))
    for refused in ({}, {"reason": "asked by phone"}):
        answer = OWN.post(path, body | refused)
        assert (answer.status, answer.body["type"]) == (409, "account-on-hold")
    assert pointers(OWN.post(path, body | {"overrideHold": True}).body) == ["/reason"]
    assert stored(manage_books).notices == ()
    forced = OWN.post(path, body | {"overrideHold": True, "reason": "asked by phone"})
    if hold in {Hold.BANKRUPTCY, Hold.DECEASED}:
        assert (forced.status, forced.body["type"]) == (409, "account-on-hold")
    else:
        assert forced.status in {201, 202}
        assert len(stored(manage_books).notices) == 1


def test_without_online_payment_there_is_no_link_to_send(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.patch(ORGANIZATION, {"payments": {"processor": "none"}})
    answer = OWN.post(LINKS, STAFF)
    assert (answer.status, answer.body["type"]) == (409, "no-online-payment")
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).status == 202


def test_a_notice_on_demand_is_scheduled_for_now_past_thresholds(manage_books: AccountBooks) -> None:
    store(manage_books)
    asked = OWN.post(f"{BILL}/notifications", {"channel": "print"})
    assert asked.status == 202
    (notice,) = stored(manage_books).notices
    assert asked.body == {"notificationId": notice.notice_id}
    assert (notice.notification_type, notice.status) == (NotificationType.ON_DEMAND, NoticeStatus.SCHEDULED)
    assert (notice.channel, notice.level, notice.statement_ids) == (Channel.PRINT, 0, ("S-1",))
    assert notice.scheduled_for == NOW
    assert OWN.get(f"{ORGANIZATION}/notifications/{notice.notice_id}").body["statusHistory"][0]["reason"] == "on demand"


def test_it_goes_to_the_patient_or_a_third_party_where_they_can_be_reached(manage_books: AccountBooks) -> None:
    payer = BillTo(name="Acme Trust", mobile_phone="+15185550177")
    store(manage_books, account(bill_to=payer), bills=(bill(document=document(email="mia@example.com")),))
    assert OWN.post(f"{BILL}/notifications", {"channel": "email", "sendTo": "patient"}).status == 202
    assert OWN.post(f"{BILL}/notifications", {"channel": "sms", "sendTo": "billTo"}).status == 202
    assert {notice.send_to for notice in stored(manage_books).notices} == {"patient", "billTo"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"channel": "email", "sendTo": "billTo"}, "/sendTo"),
        ({"channel": "sms", "sendTo": "patient"}, "/sendTo"),
        ({"channel": "fax"}, "/channel"),
        ({"channel": "email", "sendTo": "lawyer"}, "/sendTo"),
        ({"channel": "email", "templateId": "mine"}, "/templateId"),
        ({}, "/channel"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_member(
    manage_books: AccountBooks, body: dict[str, str], pointer: str
) -> None:
    store(manage_books, bills=(bill(document=document()),))
    answer = OWN.post(f"{BILL}/notifications", body)
    assert answer.status == 422
    assert pointers(answer.body) == [pointer]
    assert stored(manage_books).notices == ()


def test_nobody_is_written_to_about_nothing_or_against_their_will(manage_books: AccountBooks) -> None:
    store(manage_books, account(opt_outs=OptOuts(sms=True)), bills=(bill(), bill("S-2", status=BillStatus.PAID)))
    assert OWN.post(f"{BILL}/notifications", {"channel": "sms"}).status == 409
    assert OWN.post(f"{ORGANIZATION}/bills/S-2/notifications", {"channel": "email"}).status == 409
    OWN.patch(ORGANIZATION, {"accountStatus": AccountStatus.SUSPENDED})
    assert OWN.post(f"{BILL}/notifications", {"channel": "email"}).status == 409
    assert stored(manage_books).notices == ()


# --- payment links ---------------------------------------------------------------------------------------------


def test_a_one_time_link_lives_a_day_and_is_sent_by_email(manage_books: AccountBooks) -> None:
    store(manage_books)
    sent = OWN.post(LINKS, STAFF)
    assert sent.status == 201
    assert sent.body["status"] == "Sent"
    assert sent.body["expiresAt"] == "2026-03-03T15:00:00.000Z"
    assert sent.body["sentTo"] == "a***@example.com"
    (notice,) = stored(manage_books).notices
    (link,) = stored(manage_books).links
    assert (notice.notification_type, notice.channel) == (NotificationType.PAYMENT_LINK, Channel.EMAIL)
    assert (notice.link_id, link.notice_id) == (link.link_id, notice.notice_id)
    assert (link.staff_name, link.statement_id) == ("Robin Okafor", "S-1")


def test_a_new_link_voids_the_one_sent_before_and_its_email_if_that_still_waits(manage_books: AccountBooks) -> None:
    store(manage_books)
    first = OWN.post(LINKS, STAFF).body["paymentLinkId"]
    second = replace(OWN, at=NOW + timedelta(minutes=1)).post(LINKS, STAFF).body["paymentLinkId"]
    listed = OWN.get(LINKS).body["items"]
    assert [(link["paymentLinkId"], link["status"]) for link in listed] == [(second, "Sent"), (first, "Superseded")]
    assert sorted(notice.status for notice in stored(manage_books).notices) == ["Cancelled", "Scheduled"]


def test_a_link_stays_in_the_list_after_it_expired(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.post(LINKS, STAFF)
    next_day = replace(OWN, at=NOW + timedelta(hours=24))
    assert [link["status"] for link in next_day.get(LINKS).body["items"]] == ["Expired"]
    assert [link["status"] for link in replace(OWN, at=NOW + timedelta(hours=23)).get(LINKS).body["items"]] == ["Sent"]


def test_links_come_in_pages(manage_books: AccountBooks) -> None:
    store(manage_books)
    made = [replace(OWN, at=NOW + timedelta(minutes=n)).post(LINKS, STAFF).body["paymentLinkId"] for n in range(3)]
    first = OWN.get(f"{LINKS}?limit=2").body
    rest = OWN.get(f"{LINKS}?limit=2&cursor={first['nextCursor']}").body
    assert [link["paymentLinkId"] for link in first["items"] + rest["items"]] == made[::-1]
    assert rest["nextCursor"] is None


def test_a_link_is_revoked_and_its_email_does_not_go(manage_books: AccountBooks) -> None:
    store(manage_books)
    link_id = OWN.post(LINKS, STAFF).body["paymentLinkId"]
    assert OWN.post(f"{LINKS}/{link_id}/revoke").body["status"] == "Revoked"
    assert OWN.post(f"{LINKS}/{link_id}/revoke").status == 200
    assert stored(manage_books).notices[0].status is NoticeStatus.CANCELLED
    assert OWN.post(f"{LINKS}/lnk_9/revoke").status == 404


def test_a_link_that_was_paid_by_stays_paid(manage_books: AccountBooks) -> None:
    store(manage_books)
    link_id = OWN.post(LINKS, STAFF).body["paymentLinkId"]
    book = stored(manage_books)
    paid = replace(book.links[0], status=LinkStatus.PAID)
    store(manage_books, book.account, bills=(), links=(paid,))
    assert OWN.post(f"{LINKS}/{link_id}/revoke").status == 409


@pytest.mark.parametrize(
    ("patient", "guarantor", "payer", "send_to"),
    [
        ({"email": "mia@example.com"}, "ada@example.com", "trust@example.com", "patient"),
        ({}, "ada@example.com", "trust@example.com", "guarantor"),
        ({}, "", "trust@example.com", "billTo"),
    ],
)
def test_without_a_wish_it_goes_to_the_first_of_the_three_places_that_has_an_address(
    manage_books: AccountBooks, patient: dict[str, str], guarantor: str, payer: str, send_to: str
) -> None:
    who = account(guarantor=without_email(), bill_to=BillTo(name="Trust", email=payer))
    who = replace(who, guarantor=replace(who.guarantor, email=guarantor))
    store(manage_books, who, bills=(bill(document=document(**patient)),))
    assert OWN.post(LINKS, STAFF).status == 201
    assert stored(manage_books).notices[0].send_to == send_to


@pytest.mark.parametrize("wish", [{}, {"sendTo": "patient"}, {"sendTo": "guarantor"}, {"sendTo": "billTo"}])
def test_without_any_address_the_refusal_names_the_three_places(
    manage_books: AccountBooks, wish: dict[str, str]
) -> None:
    store(manage_books, account(guarantor=without_email()), bills=(bill(document=document()),))
    refused = OWN.post(LINKS, STAFF | wish)
    assert refused.status == 422
    assert all(place in refused.body["detail"] for place in ("patient", "guarantor", "bill-to"))
    assert stored(manage_books).links == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"staffName": ""},
        {"staffName": "A\r\nBcc: x"},
        {"staffName": "A\u2028B"},
        {"staffName": "A\u0000"},
        {"staffName": "=?utf-8?q?Your_bank?="},
        {"staffName": "Robin =?iso-8859-1?B?QQ==?="},
        {"staffName": "x" * 81},
    ],
)
def test_a_staff_name_is_needed_and_is_one_line(manage_books: AccountBooks, body: dict[str, str]) -> None:
    store(manage_books)
    answer = OWN.post(LINKS, body)
    assert answer.status == 422
    assert pointers(answer.body) == ["/staffName"]


def test_in_test_mode_the_link_goes_to_the_test_contact(manage_books: AccountBooks) -> None:
    store(manage_books)
    OWN.patch(ORGANIZATION, {"testContacts": {"mobilePhone": "518-555-0199"}})
    assert OWN.post(LINKS, STAFF).status == 409
    OWN.patch(ORGANIZATION, {"testContacts": {"email": "tester@practice.example"}})
    assert OWN.post(LINKS, STAFF).body["sentTo"] == "t***@practice.example"


# --- templates ---------------------------------------------------------------------------------------------------


def test_the_systems_own_templates_are_there_in_both_languages() -> None:
    found = OWN.get("/v1/templates?limit=100").body["items"]
    kinds = {(each["channel"], each["notificationType"], each["language"]) for each in found}
    for language in ("en", "es"):
        for kind in ("Initial", "Due", "PastDue", "Final"):
            assert {("email", kind, language), ("sms", kind, language), ("print", kind, language)} <= kinds
    assert {each["templateId"] for each in found} == {"<System Default>"}
    assert all(each["text"] for each in some(found))
