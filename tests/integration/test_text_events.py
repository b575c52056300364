"""What became of texts, by either of the provider's ways, and which notice it was about."""

import gzip
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.delivery_events.ports import ports
from functions.send_sms import handler as send_sms
from shared.contracts.text_events import DeliveryRecord, InboundText, TextEvent, log_batch
from shared.domain.account.consents import consents
from shared.domain.account.contacts import number_hash
from shared.domain.account.reconciliation import possibly_sent
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.book import Change
from shared.domain.records.notice import moved
from shared.domain.records.policy import MessageContacts
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.channel_stack import channel_stack
from tests.worlds.examples import NOW, account, organization
from tests.worlds.text_provider import (
    PHONE,
    TextTable,
    a_text,
    by_topic,
    happened,
    invoke,
    logged,
    record,
    sample,
    sending,
    sent,
    text_table,
    texted,
    unknown,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

S = NoticeStatus
SMS = Channel.SMS
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> TextTable:
    return text_table(dynamodb, monkeypatch)


# --- the samples -----------------------------------------------


def test_the_samples_are_what_the_contracts_say() -> None:
    event = TextEvent.model_validate_json(sample("text")["Records"][0]["Sns"]["Message"])
    assert event.asked_at == NOW + A_SECOND
    inbound = InboundText.model_validate_json(sample("inbound_text")["Records"][0]["Sns"]["Message"])
    assert (inbound.origination_number, inbound.message_body) == (PHONE, "Stop!")
    [line] = log_batch(sample("text_log")["awslogs"]["data"]).records
    assert DeliveryRecord.model_validate_json(line).asked_at == NOW + timedelta(seconds=1, milliseconds=559)


SAMPLE_ID = "862a8790-60c0-4430-9b2b-658bdexample"


@pytest.mark.parametrize(
    ("name", "status"), [("text", S.DELIVERED), ("text_log", S.UNDELIVERABLE_PERMANENT), ("inbound_text", S.SENT)]
)
def test_each_sample_does_what_it_says(table: TextTable, name: str, status: S) -> None:
    table.given(sent(a_text(), SAMPLE_ID), a_text("ntc_2"))
    invoke(sample(name))
    assert table.row().status is status
    assert table.book().account.opt_outs.sms is (name == "inbound_text")


def test_no_contract_shows_a_number_or_a_body() -> None:
    """Not even in a traceback."""
    text = InboundText(originationNumber=PHONE, messageBody="my secret", inboundMessageId="i")
    event = TextEvent(eventType="TEXT_SENT", destinationPhoneNumber=PHONE, messageId="m")
    shown = f"{text!r}{event!r}{DeliveryRecord.model_validate(record('x'))!r}"
    assert "5550111" not in shown
    assert "secret" not in shown


# --- what becomes of a text -----------------------------------------------


@pytest.mark.parametrize(
    ("event_type", "final", "status"),
    [
        ("TEXT_DELIVERED", True, S.DELIVERED),
        ("TEXT_SUCCESSFUL", True, S.DELIVERED),
        ("TEXT_SUCCESSFUL", False, S.SENT),
        ("TEXT_QUEUED", False, S.SENT),
        ("TEXT_PENDING", False, S.SENT),
        ("TEXT_SENT", False, S.SENT),
        ("TEXT_UNKNOWN", True, S.SENT),
        ("TEXT_INVALID", True, S.UNDELIVERABLE_PERMANENT),
        ("TEXT_BLOCKED", True, S.UNDELIVERABLE_PERMANENT),
        ("TEXT_UNREACHABLE", True, S.UNDELIVERABLE_CAN_RETRY),
        ("TEXT_CARRIER_UNREACHABLE", True, S.UNDELIVERABLE_CAN_RETRY),
        ("TEXT_TTL_EXPIRED", True, S.UNDELIVERABLE_CAN_RETRY),
        ("TEXT_SPAM", True, S.DELIVERY_ERROR),
        ("TEXT_CARRIER_BLOCKED", True, S.DELIVERY_ERROR),
        ("TEXT_INVALID_MESSAGE", True, S.DELIVERY_ERROR),
        ("TEXT_PROTECT_BLOCKED", True, S.DELIVERY_ERROR),
        ("TEXT_NEVER_HEARD_OF", True, S.UNKNOWN),
    ],
)
def test_each_event_settles_a_text_in_doubt(table: TextTable, event_type: str, final: bool, status: S) -> None:  # noqa: FBT001 - a table
    table.given(unknown(a_text()))
    happened(event_type, isFinal=final)
    assert table.row().status is status
    broken = status is S.UNDELIVERABLE_PERMANENT
    assert table.book().account.undeliverable == (frozenset({SMS}) if broken else frozenset())


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("Invalid phone number", S.UNDELIVERABLE_PERMANENT),
        ("Phone number is opted out", S.UNDELIVERABLE_PERMANENT),
        ("Phone has blocked SMS.", S.UNDELIVERABLE_PERMANENT),
        ("Phone is on a blocked list", S.UNDELIVERABLE_PERMANENT),
        ("Destination is on a blocked list", S.UNDELIVERABLE_PERMANENT),
        ("Blocked as spam by phone carrier", S.DELIVERY_ERROR),
        ("No quota left for account", S.SCHEDULED),
        ("Phone is currently unreachable/unavailable", S.UNDELIVERABLE_CAN_RETRY),
        ("Unknown error attempting to reach phone", S.UNDELIVERABLE_CAN_RETRY),
        ("Something nobody has seen before", S.UNDELIVERABLE_CAN_RETRY),
    ],
)
def test_each_failure_of_a_record_settles_its_text(table: TextTable, response: str, status: S) -> None:
    """A reason that isn't known never counts against the number."""
    table.given(sent(a_text()))
    logged(record(response))
    assert table.row().status is status
    assert (SMS in table.book().account.undeliverable) is (status is S.UNDELIVERABLE_PERMANENT)


def test_a_month_without_quota_pauses_the_channel_and_has_the_text_sent_when_it_is_over(
    table: TextTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """SNS took it, dropped it, and would drop all that follow."""
    table.given(sent(a_text()), sent(a_text("ntc_2"), "m-2"))
    gates = ChannelGates(table.client, TABLE)
    logged(record("No quota left for account"), record("No quota left for account", "m-2"))
    paused = gates.load(SMS).state
    assert (paused.reason, paused.pauses) == ("the provider's monthly quota is used up", 1)
    assert "ChannelPaused" in capsys.readouterr().out
    for row in some(table.book().notices):
        assert (row.status, row.sent_at, row.lease_until) == (S.SCHEDULED, None, None)
        assert not possibly_sent(row)
    assert table.book().account.planning_at is not None


def test_a_record_that_comes_again_neither_pauses_the_channel_again_nor_takes_back_the_next_sending(
    table: TextTable,
) -> None:
    later = NOW + timedelta(hours=7)
    table.given(sending(moved(sent(a_text()), S.SCHEDULED, NOW, "provider"), later), at=later)
    logged(record("No quota left for account"))
    assert table.row().status is S.SENDING
    assert ChannelGates(table.client, TABLE).load(SMS).state.pauses == 0


def test_of_a_text_in_doubt_it_isnt_said_that_it_was_dropped(table: TextTable) -> None:
    """It goes again anyhow, after its wait."""
    table.given(unknown(a_text()))
    logged(record("No quota left for account"))
    assert table.row().status is S.UNKNOWN
    assert ChannelGates(table.client, TABLE).load(SMS).state.pauses == 0


@pytest.mark.parametrize("said", [{}, {"Timestamp": "yesterday"}])
def test_a_text_whose_topic_doesnt_say_when_it_came_is_heard_all_the_same(
    table: TextTable, said: dict[str, str]
) -> None:
    table.given(sent(a_text()))
    event = by_topic("inbound_text")
    envelope = {name: value for name, value in event["Records"][0]["Sns"].items() if name != "Timestamp"}
    event["Records"][0]["Sns"] = envelope | said
    invoke(event)
    assert table.book().account.opt_outs.sms


def test_a_record_of_success_delivers_its_text(table: TextTable) -> None:
    table.given(sent(a_text()))
    logged(record("Message has been accepted by phone carrier", status="SUCCESS"))
    assert table.row().status is S.DELIVERED


def test_a_number_that_cant_be_texted_has_the_account_planned_anew(table: TextTable) -> None:
    table.given(sent(a_text()))
    happened("TEXT_INVALID")
    assert table.book().account.planning_at is not None


def test_where_the_organization_wants_it_a_returned_text_opts_out(table: TextTable, dynamodb: "DynamoDBClient") -> None:
    dunning = replace(organization().dunning, opt_out_after_undeliverable=True)
    Organizations(dynamodb, TABLE).create(organization(org_id="org_2", client_id="SOUTH", dunning=dunning))
    table.given(sent(a_text(org_id="org_2")), who=account(org_id="org_2"))
    happened("TEXT_INVALID")
    after = table.book(org_id="org_2")
    assert after.account.opt_outs.sms
    assert [each.source for each in consents(after)] == ["returned message"]


@pytest.mark.parametrize("first", ["TEXT_DELIVERED", "TEXT_INVALID", "TEXT_UNREACHABLE"])
def test_an_event_that_comes_again_changes_nothing(table: TextTable, first: str) -> None:
    table.given(sent(a_text()))
    happened(first)
    before = table.book()
    happened(first)
    happened("TEXT_QUEUED", isFinal=False)
    assert table.book() == before


def test_a_delivery_that_comes_after_the_failure_changes_nothing(table: TextTable) -> None:
    table.given(sent(a_text()))
    happened("TEXT_INVALID")
    happened("TEXT_DELIVERED")
    assert table.row().status is S.UNDELIVERABLE_PERMANENT


@pytest.mark.parametrize(
    "message",
    ["not json", "{}", "[]", '{"eventType": "TEXT_DELIVERED"}', '{"inboundMessageId": "i"}', '{"eventType": 1}'],
)
def test_what_the_topic_brings_and_cant_be_read_does_no_harm(table: TextTable, message: str) -> None:
    table.given(sent(a_text()))
    before = table.book()
    event = by_topic("text")
    event["Records"][0]["Sns"]["Message"] = message
    invoke(event)
    assert table.book() == before


def test_an_event_about_a_number_that_nobody_texted_does_no_harm(table: TextTable) -> None:
    table.given(sent(a_text()))
    happened("TEXT_INVALID", destinationPhoneNumber="+15185550199")
    assert table.row().status is S.SENT


def test_of_several_records_the_good_ones_count_beside_one_that_cant_be_read(table: TextTable) -> None:
    table.given(sent(a_text()), sent(a_text("ntc_2"), "m-2"))
    logged(record("x", "m-1", "SUCCESS"), "START RequestId", "{}", record("x", "m-2", "SUCCESS"))
    assert {row.status for row in table.book().notices} == {S.DELIVERED}


def test_a_control_message_of_the_logs_says_nothing(table: TextTable) -> None:
    table.given(sent(a_text()))
    logged("CWL CONTROL MESSAGE: Checking health of destination", message_type="CONTROL_MESSAGE")
    assert table.row().status is S.SENT


@pytest.mark.parametrize("raw", [b"no gzip of 5550111", gzip.compress(b"no JSON of 5550111"), gzip.compress(b"{}")])
def test_a_batch_that_cant_be_read_does_no_harm_and_isnt_quoted(
    table: TextTable, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    table.given(sent(a_text()))
    invoke({"awslogs": {"data": b64encode(raw).decode()}})
    invoke({"awslogs": {"data": "*"}})
    assert table.row().status is S.SENT
    assert "log batch not understood" in caplog.text
    assert "5550111" not in str([vars(each) for each in caplog.records])


def test_a_record_that_fails_keeps_no_other_unheard_and_is_brought_again(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()), sent(a_text("ntc_2"), "m-2"))
    real, calls = Numbers.known, list[str]()

    def first_fails(self: Numbers, number: str) -> Any:
        calls.append(number)
        if len(calls) == 1:
            raise TimeoutError
        return real(self, number)

    monkeypatch.setattr(Numbers, "known", first_fails)
    with pytest.raises(ExceptionGroup):
        logged(record("x", "m-1", "SUCCESS"), record("x", "m-2", "SUCCESS"))
    assert [table.row("ntc_1").status, table.row("ntc_2").status] == [S.SENT, S.DELIVERED]


# --- whose text it was -----------------------------------------------


def test_a_text_is_found_among_the_accounts_that_share_the_number(table: TextTable) -> None:
    table.given(sent(a_text()))
    table.given(sent(a_text("ntc_2", "G-2"), "m-2"), who=account(account_id="G-2"))
    happened("TEXT_DELIVERED", "m-2")
    assert (table.row().status, table.row("ntc_2", "G-2").status) == (S.SENT, S.DELIVERED)


def test_an_event_that_is_quicker_than_the_answer_settles_the_text_being_sent(table: TextTable) -> None:
    table.given(sending(a_text()))
    happened("TEXT_DELIVERED", asked_at=NOW + A_SECOND)
    assert (table.row().status, table.row().provider_message_id) == (S.DELIVERED, "m-1")


def test_of_two_texts_in_doubt_an_event_that_could_be_about_either_settles_none(table: TextTable) -> None:
    """A wrong guess would lose a reminder."""
    table.given(unknown(a_text()), unknown(a_text("ntc_2"), NOW + A_SECOND))
    happened("TEXT_DELIVERED", asked_at=NOW)
    assert {row.status for row in table.book().notices} == {S.UNKNOWN}


def test_of_two_accounts_texts_in_doubt_none_is_settled_either(table: TextTable) -> None:
    table.given(unknown(a_text()))
    table.given(unknown(a_text("ntc_2", "G-2")), who=account(account_id="G-2"))
    happened("TEXT_DELIVERED")
    assert (table.row().status, table.row("ntc_2", "G-2").status) == (S.UNKNOWN, S.UNKNOWN)


def test_of_two_texts_in_doubt_the_one_that_was_sent_when_the_provider_was_asked_is_settled(table: TextTable) -> None:
    table.given(unknown(a_text()), unknown(a_text("ntc_2"), NOW + timedelta(hours=1)), at=NOW + timedelta(hours=1))
    happened("TEXT_DELIVERED", asked_at=NOW + timedelta(hours=1))
    assert (table.row().status, table.row("ntc_2").status) == (S.UNKNOWN, S.DELIVERED)


def test_a_message_of_another_time_settles_nothing_in_doubt(table: TextTable) -> None:
    """Something else in the account texted the number, or the answer to an older text was lost with its row."""
    table.given(unknown(a_text()))
    happened("TEXT_DELIVERED", asked_at=NOW - timedelta(minutes=10))
    happened("TEXT_DELIVERED", asked_at=NOW + timedelta(minutes=10))
    assert table.row().status is S.UNKNOWN


def test_a_record_without_a_legible_time_settles_the_one_text_in_doubt(table: TextTable) -> None:
    table.given(unknown(a_text()))
    untimed = record("x", status="SUCCESS")
    untimed["notification"]["timestamp"] = "yesterday"
    logged(untimed)
    assert table.row().status is S.DELIVERED


def test_an_event_without_a_time_settles_the_one_text_in_doubt(table: TextTable) -> None:
    table.given(unknown(a_text()))
    happened("TEXT_QUEUED", messageRequestTimestamp=None, isFinal=False)
    assert table.row().status is S.SENT


def test_a_text_in_doubt_to_another_number_of_the_account_isnt_settled(table: TextTable) -> None:
    table.given(moved(sending(a_text(), sent_to="***0199"), S.UNKNOWN, NOW, "send_sms"))
    happened("TEXT_DELIVERED")
    assert table.row().status is S.UNKNOWN


def test_a_late_failure_of_the_first_sending_says_nothing_of_the_second(table: TextTable) -> None:
    """The first sending's id is known no more; the second is under way."""
    later = NOW + timedelta(hours=4)
    again = moved(unknown(a_text()), S.SCHEDULED, later, "scheduler", possible_duplicate=True)
    table.given(sending(again, later), at=later)
    happened("TEXT_INVALID", asked_at=NOW)
    assert table.row().status is S.SENDING
    assert table.book().account.undeliverable == frozenset()


def test_a_late_delivery_of_the_first_sending_settles_the_second_in_doubt(table: TextTable) -> None:
    """The recipient has the message."""
    later = NOW + timedelta(hours=4)
    again = moved(unknown(a_text()), S.SCHEDULED, later, "scheduler", possible_duplicate=True)
    table.given(unknown(again, later), at=later)
    happened("TEXT_DELIVERED", asked_at=NOW)
    assert table.row().status is S.DELIVERED


def test_a_first_sending_that_arrived_isnt_sent_again(table: TextTable) -> None:
    later = NOW + timedelta(hours=4)
    table.given(moved(unknown(a_text()), S.SCHEDULED, later, "scheduler", possible_duplicate=True))
    happened("TEXT_DELIVERED", asked_at=NOW)
    assert table.row().status is S.DELIVERED


def test_what_the_provider_didnt_take_is_no_sending(table: TextTable) -> None:
    later = NOW + timedelta(hours=1)
    put_off = replace(moved(sending(a_text()), S.SCHEDULED, NOW, "send_sms"), attempt=0)
    table.given(unknown(put_off, later), at=later)
    happened("TEXT_DELIVERED", asked_at=NOW)
    assert table.row().status is S.UNKNOWN
    happened("TEXT_INVALID", asked_at=later)
    assert table.row().status is S.UNDELIVERABLE_PERMANENT


def test_an_event_about_an_answer_of_ours_settles_no_notice(table: TextTable) -> None:
    texted("HELP", "in-0", "+15185550199")
    table.given(sent(a_text("ntc_2"), "m-2"))
    texted("HELP", "in-1")
    heard_at = Numbers(table.client, TABLE).known(number_hash(PHONE)).handled[0].at
    doubtful = unknown(a_text(), heard_at)
    book = table.book()
    table.books.commit(Change(account=book.account, notices=(doubtful,)))
    table.given(who=account(account_id="G-2"), at=heard_at)
    happened("TEXT_DELIVERED", "answer-1", asked_at=heard_at)
    assert table.row().status is S.UNKNOWN


def test_an_event_that_may_be_about_an_answer_whose_id_is_lost_settles_no_notice(table: TextTable) -> None:
    def lost() -> None:
        raise TimeoutError

    table.fail = lost
    table.given(sent(a_text("ntc_2"), "m-2"))
    texted("HELP", "in-1")
    heard_at = Numbers(table.client, TABLE).known(number_hash(PHONE)).handled[0].at
    table.books.commit(Change(account=table.book().account, notices=(unknown(a_text(), heard_at),)))
    happened("TEXT_DELIVERED", "who-knows", asked_at=heard_at)
    assert table.row().status is S.UNKNOWN


def test_who_settles_first_wins_and_the_other_looks_again(table: TextTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between finding the text in doubt and settling it, its sender recorded another id."""
    table.given(sending(a_text()))
    recorded = moved(table.row(), S.SENT, NOW, "send_sms", provider_message_id="m-2")
    real, rivals = AccountBooks.settle, [recorded]

    def rival_first(self: AccountBooks, *settled: Any) -> None:
        if rivals:
            self.commit(Change(account=table.book().account, notices=(rivals.pop(),)))
        real(self, *settled)

    monkeypatch.setattr(AccountBooks, "settle", rival_first)
    happened("TEXT_INVALID")
    assert (table.row().status, table.row().provider_message_id) == (S.SENT, "m-2")


def test_a_text_that_the_channel_sent_is_found_by_its_number(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim has put the pointer beside the row."""
    channel = channel_stack(send_sms, "send_sms", dynamodb, monkeypatch)
    channel.given(a_text(status=S.QUEUED, lease_until=NOW + timedelta(minutes=15)))
    assert channel.handle() == []
    text_table(dynamodb, monkeypatch, ALLOW_SIMULATED_TIME="true")
    happened("TEXT_DELIVERED", channel.row().provider_message_id)
    assert channel.row().status is S.DELIVERED
    texted("STOP", "in-1")
    assert channel.book().account.opt_outs.sms


@pytest.mark.parametrize(("testing", "whose"), [(False, "guarantor"), (True, TEST_CONTACT)])
def test_the_pointer_says_whose_number_it_was(
    dynamodb: "DynamoDBClient",
    monkeypatch: pytest.MonkeyPatch,
    testing: bool,  # noqa: FBT001 - a table
    whose: str,
) -> None:
    contacts = MessageContacts(mobile_phone="+15185550190") if testing else None
    channel = channel_stack(send_sms, "send_sms", dynamodb, monkeypatch)
    queued = a_text(status=S.QUEUED, lease_until=NOW + timedelta(minutes=15))
    channel.given(queued, practice=organization(test_contacts=contacts))
    channel.handle()
    number = "+15185550190" if testing else PHONE
    [reached] = Numbers(dynamodb, TABLE).known(number_hash(number)).accounts
    assert (reached.account_id, reached.recipients, reached.texted_at) == ("G-1", frozenset({whose}), NOW)


def test_where_time_is_simulated_an_event_comes_at_the_time_of_the_sending(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    table = text_table(dynamodb, monkeypatch, ALLOW_SIMULATED_TIME="true")
    table.given(unknown(a_text()))
    happened("TEXT_INVALID", asked_at=NOW + timedelta(days=200))
    assert table.row().status is S.UNDELIVERABLE_PERMANENT
    assert table.book().account.planning_at == NOW


def test_emails_events_come_by_any_other_topic(table: TextTable) -> None:
    assert ports().settings.text_events_topic
    table.given(sent(a_text()))
    event = by_topic("text", messageId="m-1")
    event["Records"][0]["Sns"]["TopicArn"] = "arn:aws:sns:us-east-1:123456789012:email-events"
    invoke(event)
    assert table.row().status is S.SENT
