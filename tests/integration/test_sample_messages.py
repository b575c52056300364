"""A made-up message to the test contact (docs/rules.md#test-messages): asked for, sent, marked, and stored nowhere."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pymupdf
import pytest

from functions.manage.ports import ports
from functions.render_print import handler as render_print
from functions.send_email import handler as send_email
from functions.send_sms import handler as send_sms
from shared.domain.records.policy import MessageContacts
from shared.domain.vocabulary.words import AccountStatus, Channel
from shared.messaging import clients
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import ChannelStack, channel_stack
from tests.worlds.examples import organization
from tests.worlds.manage_api import FOREIGN, ORGANIZATION, OWN, Caller, pointers, snapshot
from tests.worlds.template_examples import BODIES, own_template
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROUTE = f"{ORGANIZATION}/test-messages"
BUCKET = "dunlin-print"
TESTERS = MessageContacts(email="tester@example.com", mobile_phone="+12125550100", address=organization().address)
HANDLERS = {"email": (send_email, "send_email"), "sms": (send_sms, "send_sms"), "print": (render_print, "render_print")}


def asked(channel: str = "email", kind: str = "Due", language: str = "en") -> dict[str, str]:
    return {"channel": channel, "notificationType": kind, "language": language}


@pytest.fixture
def queues(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The channels' queues, and an organization in test mode."""
    sqs = clients.sqs()
    urls = {channel.value: sqs.create_queue(QueueName=f"samples-{channel}")["QueueUrl"] for channel in Channel}
    named = {f"{channel.upper()}_QUEUE_URL": url for channel, url in urls.items()}
    wired(monkeypatch, ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true", **named)
    Organizations(manage_table, TABLE).save(replace(practice(manage_table), test_contacts=TESTERS))
    return urls


def practice(table: "DynamoDBClient") -> Any:
    return Organizations(table, TABLE).get("org_1")


def queued(url: str) -> list[str]:
    return [message["Body"] for message in clients.sqs().receive_message(QueueUrl=url).get("Messages", [])]


@pytest.mark.parametrize("channel", list(Channel))
def test_a_sample_is_queued_for_its_channel_and_nothing_is_stored(
    queues: dict[str, str], manage_table: "DynamoDBClient", channel: str
) -> None:
    before = snapshot(manage_table)
    answer = OWN.post(ROUTE, asked(channel))
    assert answer.status == 202
    [body] = queued(queues[channel])
    message = json.loads(body)
    assert message["sampleId"] == answer.body["testMessageId"]
    assert {name: message[name] for name in asked()} == asked(channel)
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("queues")
def test_what_no_channel_carries_is_refused() -> None:
    for wrong in ({"channel": "fax"}, {"notificationType": "Nonsense"}, {"language": "fr"}):
        assert pointers(OWN.post(ROUTE, asked() | wrong).body) == [f"/{next(iter(wrong))}"]
    assert pointers(OWN.post(ROUTE, asked("print", "Receipt")).body) == ["/notificationType"]


def test_without_a_test_contact_or_where_nothing_may_be_sent_it_is_a_409(
    queues: dict[str, str], manage_table: "DynamoDBClient"
) -> None:
    """Never does a sample go to anybody else."""
    organizations = Organizations(manage_table, TABLE)
    organizations.save(replace(practice(manage_table), test_contacts=MessageContacts(email="tester@example.com")))
    assert OWN.post(ROUTE, asked("sms")).body["type"] == "no-test-contact"
    organizations.save(replace(practice(manage_table), test_contacts=None))
    assert OWN.post(ROUTE, asked()).body["type"] == "no-test-contact"
    suspended = replace(practice(manage_table), test_contacts=TESTERS, account_status=AccountStatus.SUSPENDED)
    organizations.save(suspended)
    assert OWN.post(ROUTE, asked()).status == 409
    assert not any(queued(url) for url in queues.values())


def test_nobody_else_may_ask_for_one(queues: dict[str, str]) -> None:
    assert FOREIGN.post(ROUTE, asked()).status == 404
    assert Caller(scopes="read manage").post(ROUTE, asked()).status == 403
    assert not any(queued(url) for url in queues.values())


def test_a_request_that_is_repeated_asks_once(queues: dict[str, str]) -> None:
    answers = [OWN.post(ROUTE, asked(), Idempotency_Key="k-1") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert len(queued(queues["email"])) == 1


@pytest.fixture(params=list(Channel))
def stack(request: pytest.FixtureRequest, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    """Each channel's function, and an organization in test mode."""
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    clients.s3().create_bucket(Bucket=BUCKET)
    made = channel_stack(*HANDLERS[request.param], dynamodb, monkeypatch)
    made.answers["GetAccount"] = {"SendQuota": {"MaxSendRate": 100.0, "Max24HourSend": 1.0, "SentLast24Hours": 0.0}}
    Organizations(dynamodb, TABLE).create(replace(organization(), test_contacts=TESTERS))
    return made


def channel_of(stack: ChannelStack) -> str:
    return next(channel for channel, (handler, _) in HANDLERS.items() if handler is stack.handler)


def handled(stack: ChannelStack, kind: str = "Due", language: str = "en") -> list[str]:
    """Bring the channel a sample; answer what failed."""
    record = stack.message()
    sample = {
        "kind": "SampleMessage",
        "orgId": "org_1",
        "sampleId": "smp_1",
        **asked(channel_of(stack), kind, language),
    }
    return stack.handle({**record, "body": json.dumps(sample)})


def went(stack: ChannelStack) -> tuple[str, str]:
    """To whom a sample went, and its words."""
    match channel_of(stack):
        case "email":
            [email] = stack.asked("SendEmail")
            content = email["Content"]["Simple"]
            return email["Destination"]["ToAddresses"][0], content["Subject"]["Data"] + content["Body"]["Text"]["Data"]
        case "sms":
            [text] = stack.asked("Publish")
            return text["PhoneNumber"], text["Message"]
        case _:
            pdf = clients.s3().get_object(Bucket=BUCKET, Key="letters/org_1/smp_1.pdf")["Body"].read()
            document: Any = pymupdf.open(stream=pdf)  # type: ignore[no-untyped-call] # it has no types
            return "print", " ".join(page.get_text() for page in document)


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_channel_sends_it_to_the_test_contact_marked_as_a_test(stack: ChannelStack, language: str) -> None:
    before = snapshot(stack.dynamodb)
    assert handled(stack, language=language) == []
    to, words = went(stack)
    assert to in {"tester@example.com", "+12125550100", "print"}
    assert {"en": "TEST", "es": "PRUEBA"}[language] in words.upper()
    assert [item for item in snapshot(stack.dynamodb) if not item["pk"]["S"].startswith("G#")] == before


def test_it_is_written_by_the_organizations_own_template(stack: ChannelStack) -> None:
    body = BODIES[channel_of(stack)]
    template = own_template(body, "Due")
    OwnTemplates(stack.dynamodb, TABLE).save(template, practice(stack.dynamodb), version=0)
    handled(stack)
    own_words = {"email": "has a statement for you", "sms": "a statement waits", "print": "thank you."}
    assert own_words[channel_of(stack)] in " ".join(went(stack)[1].split())


def test_one_whose_test_contact_is_gone_meanwhile_goes_to_nobody(stack: ChannelStack) -> None:
    Organizations(stack.dynamodb, TABLE).save(replace(practice(stack.dynamodb), test_contacts=None))
    assert handled(stack) == []
    assert not stack.asked("SendEmail") + stack.asked("Publish") + stack.asked("PutObject")
