"""Actions on many notifications: what is done, what is refused and why, and a dry run that does nothing."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.records.book import Change
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from tests.worlds.examples import account, notice
from tests.worlds.manage_api import FOREIGN, OWN, QUEUE, Reply, snapshot, store, stored

pytestmark = pytest.mark.usefixtures("manage_table")

S = NoticeStatus
ACTIONS = f"{QUEUE}/actions"


def queue(books: AccountBooks) -> None:
    """A failed email, a text that waits and a sent letter; and another account's failed email."""
    failed = notice(status=S.DELIVERY_ERROR, reason="refused")
    text = notice(notice_id="ntc_2", channel=Channel.SMS)
    letter = notice(notice_id="ntc_3", channel=Channel.PRINT, status=S.SENT)
    store(books, notices=(failed, text, letter))
    other = notice(notice_id="ntc_4", account_id="G-2", status=S.DELIVERY_ERROR, reason="refused")
    books.commit(Change(account=account(account_id="G-2"), notices=(other,)))


def act(action: str, **body: Any) -> Reply:
    return OWN.post(ACTIONS, {"action": action, "reason": "cleaning up", **body})


def rows(answer: Reply) -> dict[str, str]:
    return {row["notificationId"]: row["result"] for row in answer.body["items"]}


def statuses(books: AccountBooks, account_id: str = "G-1") -> dict[str, str]:
    return {row.notice_id: row.status for row in stored(books, account_id).notices}


def test_each_that_allows_it_is_done_and_none_stops_the_others(manage_books: AccountBooks) -> None:
    queue(manage_books)
    answer = act("cancel", notificationIds=["ntc_3", "ntc_1", "ntc_9", "ntc_4", "ntc_2"])
    assert answer.status == 200
    assert rows(answer) == {"ntc_3": "Refused", "ntc_1": "Done", "ntc_9": "NotFound", "ntc_4": "Done", "ntc_2": "Done"}
    assert answer.body["counts"] == {"total": 5, "done": 3, "refused": 1, "notFound": 1}
    assert answer.body["items"][0]["detail"] == "A notification that is Sent doesn't allow cancel."
    assert statuses(manage_books) == {"ntc_1": S.CANCELLED, "ntc_2": S.CANCELLED, "ntc_3": S.SENT}
    assert statuses(manage_books, "G-2") == {"ntc_4": S.CANCELLED}


def test_the_reason_and_the_person_are_kept(manage_books: AccountBooks) -> None:
    queue(manage_books)
    body = {"action": "archive", "notificationIds": ["ntc_1"], "reason": "wrong address"}
    OWN.post(ACTIONS, body, Dunlin_Actor="Rita Desk")
    event = stored(manage_books).history[-1]
    assert (event.event, event.reason, event.by) == ("ArchivingAskedFor", "wrong address", "Rita Desk")
    assert event.facts == {"notificationId": "ntc_1"}


@pytest.mark.parametrize("action", ["cancel", "retry", "archive"])
@pytest.mark.parametrize(
    "chosen", [{"notificationIds": ["ntc_1", "ntc_2", "ntc_3", "ntc_4"]}, {"filter": {"channel": "email"}}]
)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    manage_books: AccountBooks, action: str, chosen: Any
) -> None:
    queue(manage_books)
    before = snapshot(manage_books.client)
    dry = act(action, dryRun=True, **chosen)
    assert snapshot(manage_books.client) == before
    real = act(action, **chosen)
    assert dry.body == real.body | {"dryRun": True}


def test_a_filter_takes_only_what_allows_the_action(manage_books: AccountBooks) -> None:
    queue(manage_books)
    answer = act("retry", filter={"attention": True})
    assert rows(answer) == {"ntc_1": "Done", "ntc_4": "Done"}
    assert (answer.body["more"], statuses(manage_books)["ntc_1"]) == (False, S.SCHEDULED)
    assert act("retry", filter={"attention": True}).body["counts"]["total"] == 0


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"accountId": "G-2"}, {"ntc_4"}),
        ({"statementId": "S-1", "channel": "sms"}, {"ntc_2"}),
        ({"status": "Scheduled"}, {"ntc_2"}),
        ({"from": "2026-03-02", "to": "2026-03-02"}, {"ntc_1", "ntc_2", "ntc_4"}),
        ({"to": "2026-03-01"}, set()),
    ],
)
def test_a_filter_is_the_lists(manage_books: AccountBooks, chosen: Any, found: set[str]) -> None:
    queue(manage_books)
    assert set(rows(act("cancel", dryRun=True, filter=chosen))) == found


def test_a_filter_with_more_than_one_request_takes_goes_on_with_the_next(
    manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.manage.bulk_actions.MOST_AT_ONCE", 2)
    queue(manage_books)
    first, second = (act("cancel", filter={"from": "2026-01-01"}).body for _ in range(2))
    assert (first["counts"]["done"], first["more"]) == (2, True)
    assert (second["counts"]["done"], second["more"]) == (1, False)


def test_cancel_and_opt_out_closes_the_channel_of_each(manage_books: AccountBooks) -> None:
    """A second notice on the channel is stopped by the opt-out itself, which is what was wanted."""
    second = notice(notice_id="ntc_5", status=S.SCHEDULED)
    store(manage_books, notices=(notice(), second))
    answer = act("cancel", optOut=True, notificationIds=["ntc_1", "ntc_5"])
    assert rows(answer) == {"ntc_1": "Done", "ntc_5": "Done"}
    book = stored(manage_books)
    assert book.account.opt_outs.email
    assert {row.status for row in book.notices} == {S.CANCELLED}
    assert act("retry", optOut=True, notificationIds=["ntc_1"]).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"notificationIds": []},
        {"notificationIds": ["ntc_1"] * 201},
        {"notificationIds": ["ntc_1"], "filter": {"channel": "email"}},
        {"filter": {}},
        {"filter": {"channel": "fax"}},
        {"filter": {"chanel": "email"}},
        {"notificationIds": ["ntc_1"], "reason": ""},
        {"notificationIds": ["ntc_1"], "action": "send"},
    ],
)
def test_what_does_not_say_which_or_why_is_a_422(manage_books: AccountBooks, body: Any) -> None:
    queue(manage_books)
    before = snapshot(manage_books.client)
    assert OWN.post(ACTIONS, {"action": "cancel", "reason": "cleaning up"} | body).status == 422
    assert snapshot(manage_books.client) == before


def test_nothing_of_another_partners_is_touched(manage_books: AccountBooks) -> None:
    queue(manage_books)
    body = {"action": "cancel", "reason": "cleaning up", "notificationIds": ["ntc_1"]}
    assert FOREIGN.post(ACTIONS, body).status == 404
    assert replace(OWN, scopes="read send").post(ACTIONS, body).status == 403
    assert statuses(manage_books)["ntc_1"] == S.DELIVERY_ERROR
