"""The email channel against an AWS in this process."""

import logging
from collections.abc import Callable
from datetime import timedelta
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.send_email import handler
from functions.send_email.mailbox import mailbox
from functions.send_email.ports import ports
from shared.contracts.email_tags import ATTEMPT_TAG, NOTICE_TAG, ORGANIZATION_TAG
from shared.domain.paying.link_secrets import secret_hash
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import NoticeStatus, NotificationType
from shared.messaging import clients
from shared.storage import keys
from shared.storage.due_index import DueEvents, DueIndex
from shared.storage.links import Links
from shared.storage.outbox import EventOutbox
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.channel_stack import BASE_URL, ChannelStack, channel_stack
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


ACCOUNT = {
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 100.0, "SentLast24Hours": 20.0},
}


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    made = channel_stack(handler, "send_email", dynamodb, monkeypatch)
    made.answers["GetAccount"] = ACCOUNT
    return made


def queued(**changes: Any) -> Notice:
    return notice(**({"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)} | changes))


def test_the_sample_event_sends_one_email(stack: ChannelStack) -> None:
    stack.given(queued())
    assert stack.handle() == []
    [request] = stack.asked("SendEmail")
    assert request["FromEmailAddress"] == "Northside Family Practice <billing@dunlin.example>"
    assert request["Destination"] == {"ToAddresses": ["ada@example.com"]}
    assert request["ConfigurationSetName"] == "dunlin"
    assert request["Content"]["Simple"]["Subject"]["Data"] == "Your statement from Northside Family Practice"
    row = stack.row()
    assert row.status is NoticeStatus.SENT
    assert row.provider_message_id


def test_a_notice_costs_three_calls_to_the_table_and_one_to_the_provider(stack: ChannelStack) -> None:
    for number in range(10):
        stack.given(queued(account_id=f"G-{number}"), who=account(account_id=f"G-{number}"))
    stack.handle(*[stack.message(accountId=f"G-{number}") for number in range(10)])
    assert stack.calls["sesv2.SendEmail"] == 10
    # Once for them all: the organization is read, and the gate gives ten permissions. Who is the first in a quarter of
    # an hour to ask SES for its limits writes down that nobody else need.
    assert stack.calls_to("dynamodb") == 10 * 3 + 2 + 1
    assert stack.calls["sesv2.GetAccount"] == 1


def test_the_next_batch_asks_the_gate_once_and_the_provider_for_no_limits(
    stack: ChannelStack, record_property: Callable[[str, object], None]
) -> None:
    for number in range(20):
        stack.given(queued(account_id=f"G-{number}"), who=account(account_id=f"G-{number}"))
    stack.handle(*[stack.message(accountId=f"G-{number}") for number in range(10)])
    stack.handle(*[stack.message(accountId=f"G-{number}") for number in range(10, 20)])
    record_property("send, in a batch of ten: calls to the table", stack.calls_to("dynamodb") / 10)
    record_property("send: calls to the provider", stack.calls_to("sesv2") / 10)
    assert stack.calls_to("dynamodb") == 10 * 3 + 1
    assert stack.calls_to("sesv2") == 10


def test_a_mail_program_can_unsubscribe_with_one_click(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.handle()
    simple = stack.asked("SendEmail")[0]["Content"]["Simple"]
    headers = {header["Name"]: header["Value"] for header in simple["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"].removeprefix("<").removesuffix(">")
    assert address.startswith(f"{BASE_URL}/unsubscribe/")
    assert address in simple["Body"]["Html"]["Data"]
    assert address in simple["Body"]["Text"]["Data"]


def test_the_link_in_the_email_opens_the_account_and_only_its_hash_is_stored(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.handle()
    text = stack.asked("SendEmail")[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    token = text.partition(f"{BASE_URL}/pay/")[2].split()[0]
    owner = Links(stack.dynamodb, TABLE).by_secret_hash(secret_hash(token))
    assert owner is not None
    assert (owner.account_id, owner.link_id) == ("G-1", stack.row().link_id)
    assert token not in str(stack.dynamodb.scan(TableName=TABLE)["Items"])


def test_events_about_the_email_will_name_its_notice(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.handle()
    assert stack.asked("SendEmail")[0]["EmailTags"] == [
        {"Name": NOTICE_TAG, "Value": "ntc_1"},
        {"Name": ORGANIZATION_TAG, "Value": "org_1"},
        {"Name": ATTEMPT_TAG, "Value": "1"},
    ]


def test_answers_go_to_the_practice(stack: ChannelStack) -> None:
    stack.given(queued(), practice=organization(email="office@north.example"))
    stack.handle()
    assert stack.asked("SendEmail")[0]["ReplyToAddresses"] == ["Northside Family Practice <office@north.example>"]


def test_a_notice_to_a_patient_goes_to_the_patients_own_address(stack: ChannelStack) -> None:
    stack.given(queued(notification_type=NotificationType.ON_DEMAND, send_to="patient"))
    stack.handle()
    assert stack.asked("SendEmail")[0]["Destination"] == {"ToAddresses": ["kim@example.com"]}


def test_the_same_message_again_sends_nothing(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.handle()
    assert stack.handle() == []
    assert stack.calls_to("sesv2") == 0


def test_a_lost_answer_is_unknown_after_a_single_call(stack: ChannelStack) -> None:
    def lost(operation: str) -> None:
        if operation == "SendEmail":
            raise ReadTimeoutError(endpoint_url="https://email")

    stack.given(queued())
    stack.fail = lost
    assert stack.handle() == []
    assert stack.calls["sesv2.SendEmail"] == 1
    assert stack.row().status is NoticeStatus.UNKNOWN
    assert stack.handle() == []
    assert stack.calls_to("sesv2") == 0


@pytest.mark.parametrize(("operation", "emails"), [("TransactWriteItems", 0), ("PutItem", 1)])
def test_a_table_that_fails_at_claim_or_record_never_makes_a_second_email(
    stack: ChannelStack, operation: str, emails: int
) -> None:
    def broken(name: str) -> None:
        if name == operation:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    stack.given(queued())
    stack.fail = broken
    assert len(stack.handle()) == 1
    assert stack.calls["sesv2.SendEmail"] == emails
    stack.fail = lambda _: None
    assert stack.handle() == []
    assert stack.calls_to("sesv2") == 1 - emails


def test_while_the_provider_is_paused_no_notice_is_lost_and_none_fails(stack: ChannelStack) -> None:
    def paused(operation: str) -> None:
        if operation == "SendEmail":
            error = {"Error": {"Code": "SendingPausedException", "Message": "paused"}}
            raise ClientError(error, "SendEmail")  # type: ignore[arg-type] # what matters of it

    names = [f"G-{number}" for number in range(20)]
    for name in names:
        stack.given(queued(account_id=name), who=account(account_id=name))
    stack.fail = paused
    assert stack.handle(*[stack.message(accountId=name) for name in names]) == []
    rows = [stack.row(account_id=name) for name in names]
    assert {(row.status, row.attempt) for row in rows} == {(NoticeStatus.SCHEDULED, 0)}
    assert stack.calls["sesv2.SendEmail"] == 1
    # Three for the one that was tried, two for each that waits; the organization, and thrice the gate.
    assert stack.calls_to("dynamodb") == 3 + 19 * 2 + 1 + 3


def test_an_account_that_ses_paused_gets_no_email_to_send(stack: ChannelStack) -> None:
    stack.answers["GetAccount"] = ACCOUNT | {"SendingEnabled": False}
    stack.given(queued())
    assert stack.handle() == []
    assert stack.calls["sesv2.SendEmail"] == 0
    assert (stack.row().status, stack.row().reason) == (NoticeStatus.SCHEDULED, "sending is stopped at the provider")


def test_a_gate_that_cannot_be_asked_lets_the_message_come_again(stack: ChannelStack) -> None:
    def broken(name: str) -> None:
        if name == "UpdateItem":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    stack.given(queued())
    stack.fail = broken
    assert len(stack.handle()) == 1
    assert stack.calls["sesv2.SendEmail"] == 0
    stack.fail = lambda _: None
    assert stack.handle() == []
    assert stack.calls["sesv2.SendEmail"] == 1


def test_a_poisoned_message_fails_alone(stack: ChannelStack) -> None:
    names = [f"G-{number}" for number in range(9)]
    for name in names:
        stack.given(queued(account_id=name), who=account(account_id=name))
    poison = stack.message() | {"body": "Ada's bill", "messageId": "poison"}
    good = [stack.message(accountId=name) for name in names]
    assert stack.handle(*good[:4], poison, *good[4:]) == ["poison"]
    assert stack.calls["sesv2.SendEmail"] == 9


@pytest.mark.parametrize(
    "body",
    ["", "{}", "[]", '{"orgId": 1}', '{"orgId":"o","accountId":"a","noticeId":"n","asOf":"2026-03-02T15:00:00"}'],
)
def test_a_batch_of_nothing_but_poison_is_answered_too(stack: ChannelStack, body: str) -> None:
    assert stack.handle(stack.message() | {"body": body, "messageId": "poison"}) == ["poison"]


def test_a_message_about_an_unknown_notice_is_done_with(stack: ChannelStack) -> None:
    assert stack.handle(stack.message(noticeId="ntc_2")) == []


def test_what_time_is_too_short_for_burns_no_receive_and_is_left_to_its_lease(stack: ChannelStack) -> None:
    stack.given(queued())
    stack.milliseconds_left = 5_000
    poison = stack.message() | {"body": "Ada's bill", "messageId": "poison"}
    assert stack.handle(stack.message(), poison) == ["poison"]
    row = stack.row()
    assert (row.status, row.lease_until) == (NoticeStatus.QUEUED, NOW + timedelta(minutes=15))
    assert stack.calls_to("sesv2") == 0


def test_simulated_time_counts_only_where_it_is_allowed(stack: ChannelStack, monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ports, ALLOW_SIMULATED_TIME="false")
    stack.given(queued())
    stack.handle()
    row = stack.row()
    assert row.status_history[-1].at > NOW + timedelta(days=1)


def test_nothing_personal_is_logged(stack: ChannelStack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stack.given(queued(), practice=organization(amount_in_email=True))
    stack.handle(stack.message(), {**stack.message(), "body": '{"orgId": "Ada Example"}'})
    [request] = stack.asked("SendEmail")
    token = request["Content"]["Simple"]["Headers"][0]["Value"].rpartition("/")[2].removesuffix(">")
    ours = [record for record in caplog.records if record.module == "queue_consumer"]
    assert [record.getMessage() for record in ours] == ["notice processed", "message not understood"]
    assert ours[0].__dict__["notice_id"] == "ntc_1"
    numbers = {"created", "msecs", "relativeCreated", "thread", "process"}
    logged = str([{name: told for name, told in one.__dict__.items() if name not in numbers} for one in caplog.records])
    for personal in (token, "Ada", "Example", "ada@", "74.60", "1980", "Juniper"):
        assert personal not in logged


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Northside", "Northside <a@b.c>"),
        ('Smith, "Jo" & Co.', '"Smith, \\"Jo\\" & Co." <a@b.c>'),
        ("Clínica Niño", "=?utf-8?b?Q2zDrW5pY2EgTmnDsW8=?= <a@b.c>"),
        ("Evil\r\nBcc: x@y.z", '"Evil Bcc: x@y.z" <a@b.c>'),
        ("=?utf-8?q?Bank?=", "=?utf-8?b?PT91dGYtOD9xP0Jhbms/PQ==?= <a@b.c>"),
    ],
)
def test_a_name_is_encoded_as_mail_headers_need_it(name: str, header: str) -> None:
    assert mailbox(name, "a@b.c") == header


def test_a_long_name_is_encoded_in_words_that_each_fit() -> None:
    *words, address = mailbox("Clínica " * 20, "a@b.c").split()
    assert all(len(word) <= 75 for word in some(words))
    assert str(make_header(decode_header(" ".join(words)))) == ("Clínica " * 20).strip()
    assert address == "<a@b.c>"


def test_an_email_that_the_provider_refuses_is_told_to_its_partner_with_the_refusal(stack: ChannelStack) -> None:
    def refused(operation: str) -> None:
        if operation == "SendEmail":
            raise ClientError({"Error": {"Code": "MessageRejected", "Message": "contains a virus"}}, operation)

    stack.given(queued())
    stack.fail = refused
    assert stack.handle() == []
    assert stack.row().status is NoticeStatus.DELIVERY_ERROR
    due = [each for shard in keys.due_shards() for each in DueIndex(stack.dynamodb, TABLE).sweep(shard, NOW).due]
    [told] = [each for each in due if isinstance(each, DueEvents)]
    entry = EventOutbox(stack.dynamodb, TABLE).entry(told.entry_id)
    assert entry
    assert [(event.type, event.ids["notificationId"]) for event in entry.events] == [
        ("notification.failed", stack.row().notice_id)
    ]
