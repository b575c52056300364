"""What happened to an account: its timeline with staff's notes, and what was decided on a day that has passed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.records.book import Change
from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import NOW, account, bill, notice
from tests.worlds.manage_api import ACCOUNT, BILL, OWN, Caller, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")

TIMELINE, NOTES = f"{ACCOUNT}/timeline", f"{ACCOUNT}/notes"
HOLD = {"hold": "Dispute", "reason": "asked us to wait"}
PAID = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}


def at(**later: int) -> Caller:
    return replace(OWN, at=NOW + timedelta(**later))


def test_the_timeline_has_everything_newest_first(manage_books: AccountBooks) -> None:
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
    store(manage_books, notices=(sent,))
    at(hours=1).post(f"{ACCOUNT}/holds", HOLD, Dunlin_Actor="Rita Desk")
    at(hours=2).post(NOTES, {"text": "Called back."}, Dunlin_Actor="Rita Desk")
    at(hours=3).patch(ACCOUNT, {"optOuts": {"sms": True}})
    at(hours=4).post(f"{BILL}/payments", PAID)
    at(hours=5).post(f"{BILL}/status", {"status": "Suspended", "reason": "checking"})
    items = OWN.get(TIMELINE).body["items"]
    assert [(item["kind"], item["event"]) for item in items] == [
        ("Statement", "BillSuspended"),
        ("Payment", "PaymentReceived"),
        ("Consent", "OptedOut"),
        ("Note", "NoteAdded"),
        ("Hold", "HoldSet"),
        ("Notification", "NotificationSent"),
    ]
    assert [item["by"] for item in items] == [None, None, None, "Rita Desk", "Rita Desk", None]
    assert (items[1]["amount"], items[1]["statementIds"]) == ("10.00", ["S-1"])
    assert items[3]["text"] == "Called back."


def test_the_timeline_is_read_in_pages_that_new_events_do_not_shift(manage_books: AccountBooks) -> None:
    store(manage_books)
    for hour in range(5):
        at(hours=hour).post(NOTES, {"text": f"note {hour}"})
    read, cursor = list[str](), ""
    while True:
        page = OWN.get(f"{TIMELINE}?limit=2{cursor}").body
        read += [item["text"] for item in page["items"]]
        at(hours=9).post(NOTES, {"text": "meanwhile"})
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert read == [f"note {hour}" for hour in (4, 3, 2, 1, 0)]


def test_a_note_is_kept_as_written_and_plans_nothing(manage_books: AccountBooks) -> None:
    store(manage_books)
    answer = OWN.post(NOTES, {"text": "  Asked for a copy.\nCalls again on Friday.  "})
    assert answer.status == 201
    assert answer.body["text"] == "Asked for a copy.\nCalls again on Friday."
    assert stored(manage_books).account.planning_at is None


def test_a_note_sent_twice_under_one_key_is_one(manage_books: AccountBooks) -> None:
    store(manage_books)
    answers = [OWN.post(NOTES, {"text": "Called."}, Idempotency_Key="k-1") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert len(stored(manage_books).history) == 1


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2_001, "bell\x07", None, 7])
def test_a_note_needs_a_readable_text(manage_books: AccountBooks, text: Any) -> None:
    store(manage_books)
    assert OWN.post(NOTES, {"text": text}).status == 422


def test_an_account_that_is_not_there_has_no_timeline() -> None:
    assert OWN.get(TIMELINE).status == 404
    assert OWN.post(NOTES, {"text": "Called."}).status == 404


# --- what was decided on a day ----------------------------------------------------------------------------------------


def explained(day: date, caller: Caller = OWN, **finding: Any) -> list[str]:
    """What the findings of a kind say about a day."""
    answer = caller.get(f"{BILL}/explanation?on={day.isoformat()}")
    assert answer.status == 200
    return [
        found["found"]
        for found in answer.body["findings"]
        if all(found[name] == value for name, value in finding.items())
    ]


DAY = NOW.date()
MUCH_LATER = at(days=60)


def test_a_past_day_tells_what_went_and_what_did_not_with_its_reason(manage_books: AccountBooks) -> None:
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
    text = notice(notice_id="ntc_2", channel=Channel.SMS)
    refused = moved(text, NoticeStatus.WILL_NOT_SEND, NOW, "scheduler", "no mobile number")
    store(manage_books, notices=(sent, refused))
    results = [explained(DAY, MUCH_LATER, rule="result", channel=channel) for channel in ("email", "sms", "print")]
    assert results == [
        ["Sent at 10:00, level 1, Initial"],
        ["WillNotSend at 10:00, level 1, Initial: no mobile number"],
        ["nothing was decided"],
    ]
    next_day = explained(DAY + timedelta(days=1), MUCH_LATER, rule="result", channel="email")
    assert next_day == ["nothing was decided; the last was NotificationSent on 2026-03-02"]


def test_a_past_day_tells_the_holds_of_that_day_whatever_came_after(manage_books: AccountBooks) -> None:
    store(manage_books)
    at(days=1).post(f"{ACCOUNT}/holds", HOLD)
    at(days=5).call("DELETE", f"{ACCOUNT}/holds/Dispute?reason=settled")
    found = [explained(DAY + timedelta(days=n), MUCH_LATER, rule="holds") for n in (0, 1, 4, 5, 6)]
    held = ["on hold: Dispute"]
    assert found == [["no hold"], held, held, ["Dispute was lifted that day"], ["no hold"]]


def test_a_past_day_tells_opt_outs_and_the_bills_age_of_that_day(manage_books: AccountBooks) -> None:
    store(manage_books)
    at(days=3).patch(ACCOUNT, {"optOuts": {"sms": True}})
    at(days=6).patch(ACCOUNT, {"optOuts": {"sms": False}})
    found = [explained(DAY + timedelta(days=n), MUCH_LATER, rule="opt-out") for n in (2, 3, 5, 6)]
    assert found == [[], ["opted out of texts"], ["opted out of texts"], []]
    assert explained(DAY + timedelta(days=3), MUCH_LATER, rule="current step") == ["age 3 days"]


def test_before_the_bill_came_nothing_was_decided(manage_books: AccountBooks) -> None:
    store(manage_books)
    assert explained(DAY - timedelta(days=1), MUCH_LATER) == ["the bill came on 2026-03-02"]


def test_the_explanation_of_today_has_what_was_decided_and_what_is_found_now(manage_books: AccountBooks) -> None:
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
    store(manage_books, notices=(sent,))
    found = explained(DAY, at(hours=2), rule="result", channel="email")
    assert found == ["Sent at 10:00, level 1, Initial", "nothing now; the next one on 2026-04-01"]


def test_the_explanation_of_a_day_to_come_says_what_will_happen_then(manage_books: AccountBooks) -> None:
    store(manage_books)
    (found,) = explained(date(2026, 4, 1), rule="result", channel="email")
    assert found.startswith("goes on 2026-04-01 at ")
    assert explained(date(2026, 4, 2), rule="result", channel="email") == ["nothing now; the next one on 2026-05-01"]


def test_a_moved_age_is_not_guessed(manage_books: AccountBooks) -> None:
    """After a reset the bill doesn't say any more how old it was before."""
    store(manage_books)
    OWN.post(f"{BILL}/status", {"status": "Suspended", "reason": "checking"})
    before = stored(manage_books)
    aged = bill(effective_created_date=DAY + timedelta(days=20), history=(before.bills[0].history[0],))
    event = replace(aged.history[0], event="AgingReset", at=NOW + timedelta(days=20))
    manage_books.commit(Change(account=before.account, bills=(replace(aged, history=(*aged.history, event)),)))
    assert explained(DAY + timedelta(days=3), MUCH_LATER, rule="current step") == []
    assert explained(DAY + timedelta(days=23), MUCH_LATER, rule="current step") == ["age 3 days"]


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20260302", "", "2026-03-02T00:00:00Z", "2027-01-01"])
def test_a_day_that_is_none_or_too_far_ahead_is_a_400(manage_books: AccountBooks, day: str) -> None:
    store(manage_books, account())
    assert OWN.get(f"{BILL}/explanation?on={day}").status == 400
