"""The text provider as delivery_events knows it: what it tells of texts, and what recipients text."""

import copy
import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.delivery_events import handler
from functions.delivery_events.ports import ports
from shared.domain.account.contacts import GUARANTOR, number_hash
from shared.domain.delivery.claim_records import TextedNumber
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.claim_records import claim_record_write
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, notice, organization
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENTS = Path(__file__).resolve().parents[2] / "events"
TEXT_TOPIC = "arn:aws:sns:us-east-1:123456789012:text-events"
PHONE = "+15185550111"
MASKED = "***0111"


def sample(name: str) -> dict[str, Any]:
    """A sample event."""
    event: dict[str, Any] = json.loads((EVENTS / f"delivery_events_{name}.json").read_text())
    return event


def invoke(event: dict[str, Any]) -> None:
    handler.lambda_handler(event, lambda_context())


def by_topic(name: str, **changes: Any) -> dict[str, Any]:
    """A sample of the text topic with some members of its message changed."""
    event = copy.deepcopy(sample(name))
    told = event["Records"][0]["Sns"]
    told["Message"] = json.dumps(json.loads(told["Message"]) | changes)
    return event


def happened(event_type: str, message_id: str = "m-1", asked_at: datetime = NOW, **changes: Any) -> None:
    """The provider tells by its topic what became of a message."""
    asked = int((asked_at - datetime.fromtimestamp(0, UTC)) / timedelta(milliseconds=1))
    members = {"eventType": event_type, "messageId": message_id, "messageRequestTimestamp": asked, **changes}
    invoke(by_topic("text", **members))


def record(response: str, message_id: str = "m-1", status: str = "FAILURE", number: str = PHONE) -> dict[str, Any]:
    """A delivery status record of Amazon SNS."""
    return {
        "notification": {"messageId": message_id, "timestamp": f"{NOW:%Y-%m-%d %H:%M:%S}.559"},
        "delivery": {"destination": number, "providerResponse": response, "smsType": "Transactional"},
        "status": status,
    }


def logged(*lines: Any, message_type: str = "DATA_MESSAGE") -> None:
    """CloudWatch Logs brings log lines, records or anything else."""
    events = [
        {"id": str(n), "timestamp": 1, "message": line if isinstance(line, str) else json.dumps(line)}
        for n, line in enumerate(lines)
    ]
    batch = json.dumps({"messageType": message_type, "logEvents": events}).encode()
    invoke({"awslogs": {"data": b64encode(gzip.compress(batch)).decode()}})


def texted(body: str, inbound_id: str, number: str = PHONE, said_at: datetime = NOW) -> None:
    """A recipient texts us."""
    event = by_topic("inbound_text", messageBody=body, inboundMessageId=inbound_id, originationNumber=number)
    event["Records"][0]["Sns"]["Timestamp"] = f"{said_at:%Y-%m-%dT%H:%M:%S}.000Z"
    invoke(event)


def a_text(notice_id: str = "ntc_1", account_id: str = "G-1", **changes: Any) -> Notice:
    """A text that waits to be sent."""
    members = {"notice_id": notice_id, "account_id": account_id, "channel": Channel.SMS}
    return notice(**members | changes)


def sending(row: Notice, at: datetime = NOW, sent_to: str = MASKED) -> Notice:
    """The row of a text that the provider is being given."""
    given: dict[str, Any] = {"attempt": row.attempt + 1, "sent_to": sent_to, "provider_message_id": ""}
    return moved(row, NoticeStatus.SENDING, at, "send_sms", **given)


def sent(row: Notice, message_id: str = "m-1", at: datetime = NOW) -> Notice:
    """The row of a text that the provider took."""
    facts: dict[str, Any] = {"sent_at": at, "provider_message_id": message_id}
    return moved(sending(row, at), NoticeStatus.SENT, at, "send_sms", **facts)


def unknown(row: Notice, at: datetime = NOW) -> Notice:
    """The row of a text that the provider may have."""
    return moved(sending(row, at), NoticeStatus.UNKNOWN, at, "send_sms")


@dataclass
class TextTable:
    """The table behind the function, and what the function asked of the provider."""

    client: "DynamoDBClient"
    published: list[dict[str, Any]] = field(default_factory=list)
    fail: Callable[[], None] = lambda: None

    @property
    def books(self) -> AccountBooks:
        return AccountBooks(self.client, TABLE)

    def given(
        self,
        *rows: Notice,
        who: Account | None = None,
        whose: str = GUARANTOR,
        number: str = PHONE,
        at: datetime = NOW,
    ) -> None:
        """Store an account with its texts, one of which went, or may have, to a number at a time."""
        owner = who or account()
        self.books.commit(Change(account=owner, bills=(bill(),), notices=rows))
        fact = TextedNumber(
            org_id=owner.org_id,
            account_id=owner.account_id,
            number_hash=number_hash(number),
            recipient=whose,
            texted_at=at,
        )
        self.client.put_item(**claim_record_write(TABLE, fact)["Put"])

    def book(self, account_id: str = "G-1", org_id: str = "org_1") -> AccountBook:
        found = self.books.load(org_id, account_id)
        assert found is not None
        return found

    def row(self, notice_id: str = "ntc_1", account_id: str = "G-1") -> Notice:
        return next(row for row in self.book(account_id).notices if row.notice_id == notice_id)

    def publish(self, **request: Any) -> dict[str, str]:
        """Stands for the provider's client."""
        self.fail()
        self.published.append(request)
        return {"MessageId": f"answer-{len(self.published)}"}

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The answers given to the provider: to which number, what."""
        return [(request["PhoneNumber"], request["Message"]) for request in self.published]


def text_table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, **settings: str) -> TextTable:
    """Set the function up as its template does, with one organization in its table."""
    table = TextTable(dynamodb)
    wired(monkeypatch, ports, **{"TABLE_NAME": TABLE, "TEXT_EVENTS_TOPIC": TEXT_TOPIC, **settings})
    monkeypatch.setattr(clients, "sns", lambda: table)
    organizations = Organizations(dynamodb, TABLE)
    if organizations.get("org_1") is None:
        organizations.create(organization())
    return table
