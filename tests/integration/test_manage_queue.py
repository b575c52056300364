"""The notification queue: lists, details, and what a person does with a notice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.records.book import Change
from shared.domain.records.notice import BillLevel, StatusChange
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType
from shared.storage import queue_lists
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, notice
from tests.worlds.manage_api import OWN, QUEUE, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")


def queue(manage_books: AccountBooks) -> None:
    """One failed email of an ingestion, one scheduled text, one sent letter."""
    failed = notice(status=NoticeStatus.DELIVERY_ERROR, reason="refused", ingestion_ids=("ing_1",))
    text = notice(notice_id="ntc_2", channel=Channel.SMS, scheduled_for=NOW + timedelta(hours=1))
    letter = notice(
        notice_id="ntc_3",
        channel=Channel.PRINT,
        notification_type=NotificationType.PAST_DUE,
        status=NoticeStatus.SENT,
        sent_to="Albany, NY",
        configuration_id="gentle-45",
        bills=(BillLevel(statement_id="S-2", aging_period="S-2/1", level=3),),
    )
    store(manage_books, notices=(failed, text, replace(letter, scheduled_for=NOW - timedelta(days=1))))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ntc_2", "ntc_1", "ntc_3"]),
        ("?status=Scheduled", ["ntc_2"]),
        ("?channel=print", ["ntc_3"]),
        ("?ingestionId=ing_1", ["ntc_1"]),
        ("?attention=true", ["ntc_1"]),
        ("?attention=false&channel=email", ["ntc_1"]),
        ("?status=Sent&channel=email", []),
        ("?notificationType=PastDue", ["ntc_3"]),
        ("?notificationType=Final", []),
        ("?configurationId=gentle-45", ["ntc_3"]),
        ("?from=2026-03-02", ["ntc_2", "ntc_1"]),
        ("?to=2026-03-01", ["ntc_3"]),
        ("?from=2026-03-01&to=2026-03-01", ["ntc_3"]),
        ("?from=2026-03-02&to=2026-03-02&channel=sms", ["ntc_2"]),
        ("?from=2026-03-03", []),
        ("?accountId=G-1", ["ntc_2", "ntc_1", "ntc_3"]),
        ("?accountId=G-1&status=Sent", ["ntc_3"]),
        ("?accountId=G-1&from=2026-03-02&notificationType=Initial", ["ntc_2", "ntc_1"]),
        ("?accountId=G-1&to=2026-03-01", ["ntc_3"]),
        ("?accountId=G-9", []),
        ("?statementId=S-1", ["ntc_2", "ntc_1"]),
        ("?statementId=S-1&accountId=G-1", ["ntc_2", "ntc_1"]),
        ("?statementId=S-1&accountId=G-9", []),
        ("?statementId=S-9", []),
    ],
)
def test_the_queue_is_listed_by_each_filter(manage_books: AccountBooks, query: str, found: list[str]) -> None:
    queue(manage_books)
    page = OWN.get(f"{QUEUE}{query}").body
    assert [item["notificationId"] for item in page["items"]] == found
    assert page["nextCursor"] is None


@pytest.mark.parametrize(
    "query", ["status=Odd", "channel=fax", "attention=maybe", "notificationType=Odd", "from=soon", "to=2026-02-30"]
)
def test_an_unknown_filter_value_is_a_400(query: str) -> None:
    assert OWN.get(f"{QUEUE}?{query}").status == 400


@pytest.mark.parametrize("of", ["", "&accountId=G-1", "&from=2026-02-01&to=2026-03-31"])
def test_the_queue_comes_in_pages(manage_books: AccountBooks, of: str) -> None:
    queue(manage_books)
    first = OWN.get(f"{QUEUE}?limit=2{of}").body
    rest = OWN.get(f"{QUEUE}?limit=2{of}&cursor={first['nextCursor']}").body
    assert [item["notificationId"] for item in first["items"] + rest["items"]] == ["ntc_2", "ntc_1", "ntc_3"]
    assert rest["nextCursor"] is None


def test_more_than_a_summary_can_count_is_counted_by_stretches_of_time(
    manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_lists, "MOST_COUNTED", 3)
    rows = [notice(notice_id=f"ntc_{n}", scheduled_for=NOW - timedelta(days=n)) for n in range(4)]
    store(manage_books, notices=tuple(rows))
    refused = OWN.get(f"{QUEUE}/summary")
    assert (refused.status, refused.body["type"]) == (400, "too-many-to-count")
    assert OWN.get(f"{QUEUE}/summary?from=2026-02-28").body["byStatus"] == {"Scheduled": 3}


def test_the_summary_counts_by_status_and_channel_and_what_needs_attention(manage_books: AccountBooks) -> None:
    queue(manage_books)
    unknown = notice(notice_id="ntc_4", status=NoticeStatus.UNKNOWN, scheduled_for=NOW - timedelta(days=9))
    manage_books.commit(Change(account=stored(manage_books).account, notices=(unknown,)))
    assert OWN.get(f"{QUEUE}/summary").body == {
        "total": 4,
        "attention": 2,
        "byStatus": {"DeliveryError": 1, "Scheduled": 1, "Sent": 1, "Unknown": 1},
        "byChannel": {"email": 2, "print": 1, "sms": 1},
        "counts": [
            {"status": "DeliveryError", "channel": "email", "count": 1},
            {"status": "Scheduled", "channel": "sms", "count": 1},
            {"status": "Sent", "channel": "print", "count": 1},
            {"status": "Unknown", "channel": "email", "count": 1},
        ],
    }
    assert OWN.get(f"{QUEUE}/summary?from=2026-03-01&channel=email").body["byStatus"] == {"DeliveryError": 1}


def test_the_worklists_count_is_what_the_list_has(manage_books: AccountBooks) -> None:
    queue(manage_books)
    listed = OWN.get(f"{QUEUE}?attention=true").body["items"]
    assert OWN.get(f"{QUEUE}/summary").body["attention"] == len(listed) == 1


def test_a_notification_tells_all_that_happened_to_it(manage_books: AccountBooks) -> None:
    history = StatusChange(
        status=NoticeStatus.SCHEDULED, at=NOW, actor="scheduler", reason="step due", level=1, template_id="t-1"
    )
    store(manage_books, notices=(notice(status_history=(history,), sent_to="a***@example.com"),))
    assert OWN.get(f"{QUEUE}/ntc_1").body == {
        "notificationId": "ntc_1",
        "accountId": "G-1",
        "statementIds": ["S-1"],
        "channel": "email",
        "notificationType": "Initial",
        "level": 1,
        "configurationId": None,
        "status": "Scheduled",
        "reason": None,
        "scheduledFor": "2026-03-02T15:00:00.000Z",
        "sentAt": None,
        "deliveredAt": None,
        "templateId": None,
        "sendTo": "guarantor",
        "sentTo": "a***@example.com",
        "possibleDuplicate": False,
        "ingestionIds": [],
        "statusHistory": [
            {
                "status": "Scheduled",
                "at": "2026-03-02T15:00:00.000Z",
                "actor": "scheduler",
                "by": None,
                "reason": "step due",
                "level": 1,
                "templateId": "t-1",
            }
        ],
    }


def test_a_scheduled_notice_is_cancelled(manage_books: AccountBooks) -> None:
    queue(manage_books)
    cancelled = OWN.post(f"{QUEUE}/ntc_2/cancel")
    assert cancelled.status == 200
    assert cancelled.body["status"] == "Cancelled"
    assert cancelled.body["statusHistory"][-1]["actor"] == "key:k1"


def test_a_failed_notice_is_tried_again_now(manage_books: AccountBooks) -> None:
    queue(manage_books)
    later = replace(OWN, at=NOW + timedelta(days=2))
    retried = later.post(f"{QUEUE}/ntc_1/retry").body
    assert retried["status"] == "Scheduled"
    assert retried["scheduledFor"] == "2026-03-04T15:00:00.000Z"
    assert retried["possibleDuplicate"] is False


def test_a_notice_that_may_have_gone_is_tried_again_as_a_possible_duplicate_but_a_letter_never(
    manage_books: AccountBooks,
) -> None:
    letter = notice(notice_id="ntc_2", channel=Channel.PRINT, status=NoticeStatus.UNKNOWN)
    store(manage_books, notices=(notice(status=NoticeStatus.UNKNOWN), letter))
    assert OWN.post(f"{QUEUE}/ntc_1/retry").body["possibleDuplicate"] is True
    assert OWN.post(f"{QUEUE}/ntc_2/retry").status == 409


def test_a_cancellation_can_opt_the_guarantor_out_as_well(manage_books: AccountBooks) -> None:
    queue(manage_books)
    text = notice(notice_id="ntc_4", scheduled_for=NOW + timedelta(days=1))
    manage_books.commit(Change(account=stored(manage_books).account, notices=(text,)))
    assert OWN.post(f"{QUEUE}/ntc_1/cancel", {"optOut": True}).body["status"] == "Cancelled"
    book = stored(manage_books)
    assert book.account.opt_outs.email
    assert {row.notice_id: row.status for row in book.notices}["ntc_4"] is NoticeStatus.CANCELLED


@pytest.mark.parametrize(
    ("notice_id", "action"), [("ntc_3", "cancel"), ("ntc_3", "retry"), ("ntc_3", "archive"), ("ntc_2", "retry")]
)
def test_what_went_or_waits_cannot_be_handled_like_an_error(
    manage_books: AccountBooks, notice_id: str, action: str
) -> None:
    queue(manage_books)
    before = stored(manage_books)
    assert OWN.post(f"{QUEUE}/{notice_id}/{action}").status == 409
    assert stored(manage_books) == before


def test_an_error_is_archived_and_needs_no_attention_any_more(manage_books: AccountBooks) -> None:
    queue(manage_books)
    assert OWN.post(f"{QUEUE}/ntc_1/archive").body["status"] == "Archived"
    assert OWN.get(f"{QUEUE}?attention=true").body["items"] == []
