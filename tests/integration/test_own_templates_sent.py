"""Notices go by their organization's own templates, on every channel, and by the system's where one fails."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pymupdf
import pytest

from functions.render_print import handler as render_print
from functions.send_email import handler as send_email
from functions.send_sms import handler as send_sms
from shared.domain.records.notice import Notice
from shared.domain.records.policy import MessageContacts
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage import own_templates
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import ChannelStack, channel_stack
from tests.worlds.examples import NOW, notice, organization
from tests.worlds.template_examples import BODIES, own_template

BUCKET = "dunlin-print"
HANDLERS = {"email": (send_email, "send_email"), "sms": (send_sms, "send_sms"), "print": (render_print, "render_print")}


@pytest.fixture(params=list(Channel))
def stack(request: pytest.FixtureRequest, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    """Each channel's function, with one notice on its queue."""
    channel = request.param
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    clients.s3().create_bucket(Bucket=BUCKET)
    handler, name = HANDLERS[channel]
    made = channel_stack(handler, name, dynamodb, monkeypatch)
    made.answers["GetAccount"] = {"SendQuota": {"MaxSendRate": 100.0, "Max24HourSend": 1.0, "SentLast24Hours": 0.0}}
    waits: dict[str, Any] = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    made.given(notice(**waits | {"channel": channel}))
    return made


def has(stack: ChannelStack, template_id: str = "Initial", **changes: Any) -> None:
    """Store a template of the stack's channel, as if it had been saved."""
    practice = Organizations(stack.dynamodb, TABLE).get("org_1")
    assert practice
    body = BODIES[stack.row().channel] | changes
    OwnTemplates(stack.dynamodb, TABLE).save(own_template(body, template_id), practice, version=0)


def said(stack: ChannelStack) -> str:
    """The words of the message that went."""
    match stack.row().channel:
        case Channel.EMAIL:
            [email] = stack.asked("SendEmail")
            return str(email["Content"]["Simple"]["Body"]["Text"]["Data"])
        case Channel.SMS:
            [text] = stack.asked("Publish")
            return str(text["Message"])
        case Channel.PRINT:
            row = stack.row()
            pdf = clients.s3().get_object(Bucket=BUCKET, Key=f"letters/org_1/{row.notice_id}.pdf")["Body"].read()
            document: Any = pymupdf.open(stream=pdf)  # type: ignore[no-untyped-call] # it has no types
            return " ".join(page.get_text() for page in document)


OWN_WORDS = {"email": "has a statement for you", "sms": "a statement waits", "print": "thank you."}


def went(stack: ChannelStack) -> Notice:
    assert stack.handle() == []
    row = stack.row()
    assert row.status is NoticeStatus.SENT
    return row


def test_a_notice_goes_by_its_types_own_template(stack: ChannelStack) -> None:
    has(stack)
    row = went(stack)
    assert OWN_WORDS[row.channel] in " ".join(said(stack).split())
    assert (row.template_id, row.status_history[-1].template_id) == ("Initial", "Initial")


def test_a_template_of_another_type_or_language_changes_nothing(stack: ChannelStack) -> None:
    has(stack, "Due")
    has(stack, "Initial", language="es")
    row = went(stack)
    assert OWN_WORDS[row.channel] not in " ".join(said(stack).split())
    assert row.template_id == "<System Default>"


def test_no_notice_costs_a_read_more_where_there_is_no_own_template(stack: ChannelStack) -> None:
    went(stack)
    assert not [key for key in stack.asked("GetItem") if str(key["Key"]["sk"]["S"]).startswith("T#")]


@pytest.mark.parametrize("fault", ["{{ salary }}", "{{ practice.x }}", "{{ 9 ** 999999999 }}", "{% if %}"])
def test_a_template_that_fails_loses_no_notice_and_is_counted(
    stack: ChannelStack, fault: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It was saved by older rules, say. The system's words go, and the history says so."""
    caplog.set_level(logging.WARNING)
    has(stack, text=f"{OWN_WORDS[stack.row().channel]} {fault}")
    row = went(stack)
    assert OWN_WORDS[row.channel] not in " ".join(said(stack).split())
    assert row.template_id == "<System Default>"
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"TemplateFailed"' in line]
    assert [line["channel"] for line in counted] == [row.channel]
    assert "own template failed" in caplog.text
    assert "Ada" not in caplog.text


def test_a_template_that_is_gone_is_the_systems(stack: ChannelStack, monkeypatch: pytest.MonkeyPatch) -> None:
    has(stack)
    monkeypatch.setattr(own_templates.OwnTemplates, "get", lambda *_: None)
    assert went(stack).template_id == "<System Default>"


def test_test_mode_marks_an_own_template_too(stack: ChannelStack) -> None:
    has(stack)
    practice = Organizations(stack.dynamodb, TABLE).get("org_1")
    assert practice
    contacts = MessageContacts(email="test@example.com", mobile_phone="+12125550100", address=organization().address)
    Organizations(stack.dynamodb, TABLE).save(replace(practice, test_contacts=contacts))
    row = went(stack)
    assert "TEST" in said(stack).upper()
    assert row.to_test_contact
