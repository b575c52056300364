"""The text channel against an AWS in this process."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.send_sms import handler
from functions.send_sms.ports import ports
from shared.domain.account.contacts import number_hash
from shared.domain.account.number_stops import NumberStop
from shared.domain.delivery.channel_gate import Limits
from shared.domain.records.notice import Notice
from shared.domain.records.statement import OptOuts
from shared.domain.texting.text_consent import gets_no_texts
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType
from shared.rendering.gsm import septets
from shared.storage.numbers import Numbers
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import BASE_URL, ChannelStack, channel_stack
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    return channel_stack(handler, "send_sms", dynamodb, monkeypatch)


def queued(**changes: Any) -> Notice:
    waits = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    return notice(**(waits | {"channel": Channel.SMS} | changes))


def failing(error: Exception) -> Any:
    def fail(operation: str) -> None:
        if operation == "Publish":
            raise error

    return fail


def test_the_sample_event_sends_one_text(stack: ChannelStack) -> None:
    stack.given(queued())
    assert stack.handle() == []
    [request] = stack.asked("Publish")
    assert request["PhoneNumber"] == "+15185550111"
    assert request["Message"].startswith(f"Northside: you have a new statement. View: {BASE_URL}/pay/")
    assert request["Message"].endswith("STOP to opt out")
    assert (septets(request["Message"]) or 999) <= 160
    assert request["MessageAttributes"]["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"
    row = stack.row()
    assert (row.status, row.sent_to) == (NoticeStatus.SENT, "***0111")


def test_a_text_names_the_practice_and_nothing_personal(stack: ChannelStack) -> None:
    stack.given(queued(), practice=organization(amount_in_email=True))
    stack.handle()
    message = re.sub(r"https://\S+", "LINK", stack.asked("Publish")[0]["Message"])
    assert "LINK" in message
    for personal in ("Ada", "Example", "74", "Kim", "$"):
        assert personal not in message


def test_a_text_costs_three_calls_to_the_table_and_one_to_the_provider(stack: ChannelStack) -> None:
    for number in range(10):
        stack.given(queued(account_id=f"G-{number}"), who=account(account_id=f"G-{number}"))
    stack.handle(*[stack.message(accountId=f"G-{number}") for number in range(10)])
    assert stack.calls_to("sns") == 10
    # Once for them all: the organization is read, and the gate gives ten permissions.
    assert stack.calls_to("dynamodb") == 10 * 3 + 2


def test_a_number_that_opted_out_at_the_carrier_is_not_tried_again(stack: ChannelStack) -> None:
    stack.given(queued())
    error = {"Error": {"Code": "InvalidParameter", "Message": "Invalid parameter: PhoneNumber is opted out"}}
    stack.fail = failing(ClientError(error, "Publish"))  # type: ignore[arg-type] # what matters of it
    assert stack.handle() == []
    row = stack.row()
    assert (row.status, row.reason) == (
        NoticeStatus.UNDELIVERABLE_PERMANENT,
        "the number opted out at the carrier",
    )
    assert stack.book().account.undeliverable == {Channel.SMS}


def test_a_provider_that_could_not_be_reached_is_tried_again_later(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.fail = failing(EndpointConnectionError(endpoint_url="https://sns"))
    stack.handle()
    row = stack.row()
    assert (row.status, row.attempt) == (NoticeStatus.SCHEDULED, 0)
    assert row.scheduled_for > NOW


def test_someone_who_opted_out_meanwhile_gets_no_text(stack: ChannelStack) -> None:
    stack.given(queued(), who=account(opt_outs=OptOuts(sms=True)))
    stack.handle()
    assert stack.calls_to("sns") == 0
    assert (stack.row().status, stack.row().reason) == (NoticeStatus.WILL_NOT_SEND, "opted out of texts")


def test_a_number_that_said_stop_before_the_account_had_it_gets_no_text_and_the_account_learns_of_it(
    stack: ChannelStack, dynamodb: "DynamoDBClient"
) -> None:
    stack.given(queued())
    number = number_hash("+15185550111")
    said = NumberStop(number=number, stopped=True, wording="STOP", said_at=NOW - timedelta(days=1))
    assert Numbers(dynamodb, TABLE).record_stop(said)
    assert stack.handle() == []
    assert stack.calls_to("sns") == 0
    assert stack.row().status is NoticeStatus.CANCELLED
    assert gets_no_texts(stack.book().account, number)


def test_a_text_outside_the_quiet_hours_of_the_recipient_waits(stack: ChannelStack) -> None:
    stack.given(queued(notification_type=NotificationType.ON_DEMAND), who=account(time_zones=("America/Los_Angeles",)))
    stack.handle()
    row = stack.row()
    assert row.status is NoticeStatus.SCHEDULED
    assert row.scheduled_for == NOW + timedelta(hours=2)


def test_texts_go_as_fast_as_the_stack_was_told(stack: ChannelStack, monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ports, TEXTS_PER_SECOND="3")
    gate = ports().gate
    assert (gate.channel, gate.usual) == (Channel.SMS, Limits(per_second=3.0))


def test_without_access_to_the_provider_one_text_is_tried_and_the_others_wait(stack: ChannelStack) -> None:
    names = [f"G-{number}" for number in range(5)]
    for name in names:
        stack.given(queued(account_id=name), who=account(account_id=name))
    error = {"Error": {"Code": "AuthorizationError", "Message": "not authorized to perform: SNS:Publish"}}
    stack.fail = failing(ClientError(error, "Publish"))  # type: ignore[arg-type] # what matters of it
    assert stack.handle(*[stack.message(accountId=name) for name in names]) == []
    assert stack.calls_to("sns") == 1
    assert {stack.row(account_id=name).reason for name in names} == {"the provider refuses us access"}
