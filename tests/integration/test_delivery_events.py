"""The provider's events: what they settle, and that late, repeated and unknown ones do no harm."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.delivery_events import handler
from shared.domain.book import AccountBook, Change
from shared.domain.notice import Notice, moved
from shared.domain.reconciliation import lease_over
from shared.domain.words import Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from tests.conftest import TABLE
from tests.examples import NOW, account, bill, notice

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

SAMPLE = json.loads((Path(__file__).resolve().parents[2] / "events/delivery_events_email.json").read_text())
SENT = moved(notice(), NoticeStatus.SENT, NOW, "send_email", attempt=1, sent_at=NOW)
S = NoticeStatus


class Context:
    """What Lambda tells an invocation about itself."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "test"


@pytest.fixture
def books(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> AccountBooks:
    monkeypatch.setenv("TABLE_NAME", TABLE)
    handler.dependencies.cache_clear()
    return AccountBooks(dynamodb, TABLE)


def stored(books: AccountBooks, row: Notice) -> None:
    books.commit(Change(account=account(), bills=(bill(),), notices=(row,)))


def told(event_type: str, **members: Any) -> None:
    """Let the provider say something about ntc_1."""
    event = copy.deepcopy(SAMPLE)
    message = json.loads(event["Records"][0]["Sns"]["Message"])
    message = {"eventType": event_type, "mail": message["mail"], **members}
    event["Records"][0]["Sns"]["Message"] = json.dumps(message)
    invoke(event)


def invoke(event: dict[str, Any]) -> None:
    handler.lambda_handler(event, cast("LambdaContext", Context()))


def book(books: AccountBooks) -> AccountBook:
    found = books.load("org_1", "G-1")
    assert found is not None
    return found


def test_a_delivered_email_is_delivered(books: AccountBooks) -> None:
    stored(books, SENT)
    invoke(SAMPLE)
    [row] = book(books).notices
    assert row.status is S.DELIVERED
    assert row.delivered_at is not None
    assert [entry.status for entry in row.status_history] == [S.SENT, S.DELIVERED]


def test_an_event_that_comes_twice_changes_nothing_the_second_time(books: AccountBooks) -> None:
    stored(books, SENT)
    invoke(SAMPLE)
    before = book(books)
    invoke(SAMPLE)
    assert book(books) == before


def test_the_providers_word_settles_what_was_unknown(books: AccountBooks) -> None:
    sending = moved(notice(), S.SENDING, NOW, "send_email", attempt=1)
    stored(books, moved(sending, S.UNKNOWN, NOW, "scheduler"))
    told("Send")
    assert book(books).notices[0].status is S.SENT


def sent_once_more(books: AccountBooks) -> Notice:
    """A notice of whose first sending nobody heard, as it waits for its second."""
    sending = moved(notice(), S.SENDING, NOW, "send_email", attempt=1)
    row = lease_over(moved(sending, S.UNKNOWN, NOW, "scheduler"), NOW, NOW)
    stored(books, row)
    return row


def with_attempt(attempt: str) -> dict[str, Any]:
    """The sample's message, as of another sending."""
    mail: dict[str, Any] = json.loads(SAMPLE["Records"][0]["Sns"]["Message"])["mail"]
    return {**mail, "messageId": f"m-{attempt}", "tags": {**mail["tags"], "attempt": [attempt]}}


def test_a_delivery_heard_of_late_takes_the_second_sending_back(books: AccountBooks) -> None:
    sent_once_more(books)
    told("Delivery")
    [row] = book(books).notices
    assert (row.status, row.possible_duplicate) == (S.DELIVERED, False)


def test_a_bounce_of_the_first_sending_says_nothing_of_the_second(books: AccountBooks) -> None:
    waiting = sent_once_more(books)
    second = moved(waiting, S.SENDING, NOW, "send_email", attempt=2)
    assert Notices(books.client, books.table).move(waiting, moved(second, S.SENT, NOW, "send_email", sent_at=NOW))
    told("Bounce", bounce={"bounceType": "Permanent"}, mail=with_attempt("1"))
    assert book(books).notices[0].status is S.SENT
    told("Bounce", bounce={"bounceType": "Permanent"}, mail=with_attempt("2"))
    assert book(books).notices[0].status is S.UNDELIVERABLE_PERMANENT


@pytest.mark.parametrize("attempt", ["", "x", "٣"])
def test_a_message_that_doesnt_say_which_sending_it_was_counts_as_the_last(books: AccountBooks, attempt: str) -> None:
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Permanent"}, mail=with_attempt(attempt))
    assert book(books).notices[0].status is S.UNDELIVERABLE_PERMANENT


def test_a_bounce_for_good_marks_the_contact_and_has_the_account_planned_anew(books: AccountBooks) -> None:
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": []})
    after = book(books)
    assert after.notices[0].status is S.UNDELIVERABLE_PERMANENT
    assert after.account.undeliverable == {Channel.EMAIL}
    assert after.account.planning_at is not None


def test_a_bounce_for_now_leaves_the_contact_alone(books: AccountBooks) -> None:
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Transient", "bouncedRecipients": []})
    after = book(books)
    assert after.notices[0].status is S.UNDELIVERABLE_CAN_RETRY
    assert after.account.undeliverable == frozenset()


def test_a_complaint_opts_the_guarantor_out_of_email(books: AccountBooks) -> None:
    stored(books, replace(SENT, status=S.DELIVERED))
    told("Complaint", complaint={"complainedRecipients": []})
    after = book(books)
    assert after.account.opt_outs.email
    assert after.notices[0].status is S.DELIVERED


def test_a_delivery_that_comes_after_the_bounce_changes_nothing(books: AccountBooks) -> None:
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": []})
    told("Delivery")
    assert book(books).notices[0].status is S.UNDELIVERABLE_PERMANENT


@pytest.mark.parametrize("event_type", ["Open", "Click", "DeliveryDelay", "Something New"])
def test_events_that_settle_nothing_are_passed_over(books: AccountBooks, event_type: str) -> None:
    stored(books, SENT)
    told(event_type)
    assert book(books).notices == (SENT,)


@pytest.mark.parametrize(
    "message", ["not json", "{}", '{"eventType": "Delivery", "mail": {"messageId": "m", "tags": {}}}']
)
def test_what_is_not_ours_or_cannot_be_read_does_no_harm(books: AccountBooks, message: str) -> None:
    stored(books, SENT)
    event = copy.deepcopy(SAMPLE)
    event["Records"][0]["Sns"]["Message"] = message
    invoke(event)
    assert book(books).notices == (SENT,)


def test_an_event_about_a_notice_that_nobody_has_is_passed_over(books: AccountBooks) -> None:
    invoke(SAMPLE)
    assert books.load("org_1", "G-1") is None


def test_where_time_is_simulated_an_event_comes_at_the_time_of_the_sending(
    books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_SIMULATED_TIME", "true")
    handler.dependencies.cache_clear()
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": []})
    assert book(books).account.planning_at == NOW
