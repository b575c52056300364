"""The provider's events: what they settle, and that late, repeated and unknown ones do no harm."""

import copy
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.delivery_events import handler
from functions.delivery_events.ports import ports
from shared.domain.account.consents import consents, opted_out_of_emails
from shared.domain.account.reconciliation import lease_ended
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import MessageContacts
from shared.domain.texting.channel_choices import Agreement, resubscribe
from shared.domain.vocabulary.words import Channel, ConsentSource, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, notice, organization
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SAMPLE = json.loads((Path(__file__).resolve().parents[2] / "events/delivery_events_email.json").read_text())
SENT = moved(notice(), NoticeStatus.SENT, NOW, "send_email", attempt=1, sent_at=NOW)
S = NoticeStatus


@pytest.fixture
def books(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> AccountBooks:
    wired(monkeypatch, ports, TABLE_NAME=TABLE)
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
    handler.lambda_handler(event, lambda_context())


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


def test_a_report_of_arrival_alone_writes_its_row_and_leaves_the_account_as_it_is(books: AccountBooks) -> None:
    stored(books, SENT)
    before = book(books)
    invoke(SAMPLE)
    after = book(books)
    assert after.account == before.account
    assert after.notices != before.notices


@pytest.mark.parametrize("rival", [S.DELIVERED, S.UNDELIVERABLE_CAN_RETRY])
def test_a_report_of_arrival_looks_again_where_the_row_was_moved_meanwhile(
    books: AccountBooks, rival: NoticeStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(books, SENT)
    real, rivals = Notices.move, [moved(book(books).notices[0], rival, NOW, "provider")]

    def rival_first(self: Notices, before: Notice, after: Notice) -> bool:
        if rivals:
            assert real(self, before, rivals.pop())
        return real(self, before, after)

    monkeypatch.setattr(Notices, "move", rival_first)
    invoke(SAMPLE)
    [row] = book(books).notices
    assert [entry.status for entry in row.status_history][:2] == [S.SENT, rival]
    assert row.status is S.DELIVERED


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
    row = lease_ended(moved(sending, S.UNKNOWN, NOW, "scheduler"), NOW, NOW)
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


@pytest.mark.parametrize("since", [S.SENT, S.UNKNOWN])
def test_who_complains_has_the_message(books: AccountBooks, since: S) -> None:
    """Even if the word of its delivery is lost: it isn't sent once more."""
    sending = moved(notice(), S.SENDING, NOW, "send_email", attempt=1)
    stored(books, moved(sending, since, NOW, "send_email"))
    told("Complaint", complaint={})
    assert book(books).notices[0].status is S.DELIVERED


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_feedback_that_is_no_complaint_opts_nobody_out(books: AccountBooks, kind: str) -> None:
    stored(books, SENT)
    told("Complaint", complaint={"complaintFeedbackType": kind, "timestamp": "2026-03-02T17:00:00.000Z"})
    after = book(books)
    assert not after.account.opt_outs.email
    assert after.notices == (SENT,)


def test_a_message_withheld_because_of_an_older_complaint_came_back_for_good(books: AccountBooks) -> None:
    """The provider took it and then didn't send it: the step isn't told."""
    stored(books, SENT)
    told("Complaint", complaint={"complaintSubType": "OnAccountSuppressionList"})
    after = book(books)
    assert after.notices[0].status is S.UNDELIVERABLE_PERMANENT
    assert after.account.undeliverable == {Channel.EMAIL}
    assert after.account.planning_at is not None


@pytest.mark.parametrize(
    ("address", "closed"), [("pat@example.com", False), ("ada@example.com", True), ("ADA@Example.com", True)]
)
def test_a_complaint_speaks_for_the_guarantor_where_the_address_is_the_guarantors(
    books: AccountBooks, address: str, *, closed: bool
) -> None:
    stored(books, replace(SENT, send_to="patient"))
    for _ in range(2):
        told("Complaint", complaint={}, mail={**with_attempt("1"), "destination": [address]})
    after = book(books)
    assert after.account.opt_outs.email is closed
    assert [(each.recipient, each.given, each.source) for each in consents(after)] == [
        ("guarantor" if closed else "patient", False, "complaint")
    ]
    assert opted_out_of_emails(after, "patient") is not closed


@pytest.mark.parametrize("send_to", ["guarantor", "billTo"])
def test_a_test_contacts_complaint_is_nobodys(books: AccountBooks, dynamodb: "DynamoDBClient", send_to: str) -> None:
    testing = organization(test_contacts=MessageContacts(email="desk@example.com"))
    Organizations(dynamodb, TABLE).create(testing)
    stored(books, replace(SENT, send_to=send_to))
    told("Complaint", complaint={}, mail={**with_attempt("1"), "destination": ["desk@example.com"]})
    after = book(books)
    assert not after.account.opt_outs.email
    assert consents(after) == ()


def test_a_complaint_that_comes_again_doesnt_undo_that_emails_were_asked_for_since(books: AccountBooks) -> None:
    complaint = {"timestamp": "2026-03-02T17:00:00.000Z"}
    stored(books, SENT)
    told("Complaint", complaint=complaint)
    agreed = Agreement(source=ConsentSource.UNSUBSCRIBE_PAGE, wording="Undo")
    books.change("org_1", "G-1", lambda found: resubscribe(found, NOW + timedelta(hours=3), agreed))
    told("Complaint", complaint=complaint)
    assert not book(books).account.opt_outs.email
    told("Complaint", complaint={"timestamp": "2026-03-02T19:00:00.000Z"})
    assert book(books).account.opt_outs.email


def test_a_bounce_of_an_address_that_was_corrected_meanwhile_doesnt_count_against_the_new_one(
    books: AccountBooks,
) -> None:
    corrected = replace(account().guarantor, email="ada.new@example.com")
    books.commit(Change(account=account(guarantor=corrected), bills=(bill(),), notices=(SENT,)))
    told("Bounce", bounce={"bounceType": "Permanent"})
    after = book(books)
    assert after.notices[0].status is S.UNDELIVERABLE_PERMANENT
    assert after.account.undeliverable == frozenset()
    assert after.account.planning_at is not None


@pytest.mark.parametrize("kind", ["Undetermined", "Transient", "Something New"])
def test_a_bounce_that_isnt_for_good_is_one_for_now(books: AccountBooks, kind: str) -> None:
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": kind})
    assert book(books).notices[0].status is S.UNDELIVERABLE_CAN_RETRY


@pytest.mark.parametrize("event_type", ["Reject", "Rendering Failure"])
def test_what_the_provider_refused_after_all_is_an_error_and_the_contact_stays(
    books: AccountBooks, event_type: str
) -> None:
    stored(books, SENT)
    told(event_type)
    after = book(books)
    assert (after.notices[0].status, after.notices[0].reason) == (S.DELIVERY_ERROR, "refused by the provider")
    assert not after.account.undeliverable
    assert after.account.planning_at is not None


@pytest.mark.parametrize("order", [("Bounce", "Delivery"), ("Delivery", "Bounce")])
def test_an_absence_note_leaves_a_message_delivered_whichever_word_comes_first(
    books: AccountBooks, order: tuple[str, ...]
) -> None:
    """SES tells of one as of a bounce for now."""
    stored(books, SENT)
    for event_type in order:
        told(event_type, **({"bounce": {"bounceType": "Transient"}} if event_type == "Bounce" else {}))
    assert book(books).notices[0].status is S.DELIVERED


def test_that_a_message_arrived_before_it_came_back_is_no_news_of_the_one_sent_since(books: AccountBooks) -> None:
    """Brought by a redrive, say, after staff had it sent again to a corrected address."""
    returned = moved(SENT, S.UNDELIVERABLE_PERMANENT, NOW, "provider", provider_message_id="m-1")
    again = moved(moved(returned, S.SCHEDULED, NOW, "staff"), S.SENDING, NOW, "send_email", attempt=2)
    stored(books, moved(again, S.SENT, NOW, "send_email", provider_message_id="m-2"))
    told("Delivery", mail=with_attempt("1"))
    assert book(books).notices[0].status is S.SENT
    told("Bounce", bounce={"bounceType": "Permanent"}, mail=with_attempt("2"))
    assert book(books).notices[0].status is S.UNDELIVERABLE_PERMANENT


def test_that_a_message_is_delayed_says_that_the_provider_has_it(books: AccountBooks) -> None:
    sending = moved(notice(), S.SENDING, NOW, "send_email", attempt=1)
    stored(books, moved(sending, S.UNKNOWN, NOW, "scheduler"))
    told("DeliveryDelay", deliveryDelay={"delayType": "MailboxFull"})
    assert book(books).notices[0].status is S.SENT


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
    wired(monkeypatch, ports, ALLOW_SIMULATED_TIME="true")
    stored(books, SENT)
    told("Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": []})
    assert book(books).account.planning_at == NOW
