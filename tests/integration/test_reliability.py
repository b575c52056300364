"""A hundred copies at once, and one message that poisons its batch: two lines of the table in docs/delivery.md."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from cli import main as command
from functions.delivery_events import handler as delivery_events
from functions.delivery_events.ports import ports as delivery_events_ports
from functions.send_email import handler as send_email
from shared.domain.records.book import Change
from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from tests.integration.test_cli import CHANNELS, CloudFormation
from tests.worlds import template
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import EVENTS, ChannelStack, channel_stack
from tests.worlds.examples import NOW, account, bill, notice
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# --- a hundred copies --------------------------------------------------------------------------------------------


def test_a_hundred_copies_of_one_delivery_event_at_once_make_one_ledger_entry(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    wired(monkeypatch, delivery_events_ports, TABLE_NAME=TABLE)
    books = AccountBooks(dynamodb, TABLE)
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", attempt=1, sent_at=NOW)
    books.commit(Change(account=account(), bills=(bill(),), notices=(sent,)))
    event = json.loads((EVENTS / "delivery_events_email.json").read_text())
    ready = threading.Barrier(20)

    def tell(copy: int) -> None:
        if copy < 20:
            ready.wait()
        delivery_events.lambda_handler(deepcopy(event), lambda_context())

    delivery_events_ports()
    with ThreadPoolExecutor(20) as workers:
        list(workers.map(tell, range(100)))
    book = books.load("org_1", "G-1")
    assert book is not None
    [row] = book.notices
    assert [entry.status for entry in row.status_history] == [NoticeStatus.SENT, NoticeStatus.DELIVERED]
    assert book.history == ()


# --- one poisoned message ----------------------------------------------------------------------------------------


def test_of_ten_messages_with_a_poisoned_one_nine_are_done_and_one_is_dead_after_the_receive_count_and_redriven(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    stack = channel_stack(send_email, "send_email", dynamodb, monkeypatch)
    sqs, most = clients.sqs(), receive_count()
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    queue = a_queue(sqs, dead, most)
    for number in range(9):
        name = f"G-{number}"
        row = notice(account_id=name, status=NoticeStatus.QUEUED, lease_until=NOW)
        stack.given(row, who=account(account_id=name))
        sqs.send_message(QueueUrl=queue, MessageBody=stack.message(accountId=name)["body"])
    sqs.send_message(QueueUrl=queue, MessageBody="Ada's bill")

    receives = 0
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        receives += any(message["Body"] == "Ada's bill" for message in batch)
        consume(stack, sqs, queue, batch)

    assert receives == most
    assert [stack.row(account_id=f"G-{number}").status for number in range(9)] == [NoticeStatus.SENT] * 9
    assert (depth(sqs, queue), depth(sqs, dead)) == (0, 1)
    redrive(monkeypatch, queue, dead)
    assert (depth(sqs, queue), depth(sqs, dead)) == (1, 0)


def receive_count() -> int:
    policy: dict[str, Any] = template.resources("AWS::SQS::Queue")["EmailQueue"]["Properties"]["RedrivePolicy"]
    return int(policy["maxReceiveCount"])


def a_queue(sqs: Any, dead: str, most: int) -> str:
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": most})
    url: str = sqs.create_queue(QueueName="email", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return url


def consume(stack: ChannelStack, sqs: Any, queue: str, batch: list[Any]) -> None:
    """Do as Lambda's poller does: delete what the function doesn't name as failed."""
    records = [stack.message() | {"messageId": message["MessageId"], "body": message["Body"]} for message in batch]
    failed = stack.handle(*records)
    for message in batch:
        if message["MessageId"] not in failed:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def redrive(monkeypatch: pytest.MonkeyPatch, queue: str, dead: str) -> None:
    """Run `dunlin redrive --yes` on a stack with this queue; its others are empty."""
    empty = clients.sqs().create_queue(QueueName="empty")["QueueUrl"]
    outputs = {f"{channel}{kind}Url": empty for channel in CHANNELS for kind in ("Queue", "DeadLetterQueue")}
    outputs |= {"EmailQueueUrl": queue, "EmailDeadLetterQueueUrl": dead, "EventsDeadLetterQueueUrl": empty}
    monkeypatch.setattr("cli.stack.cloudformation", lambda: CloudFormation({"dunlin-test": outputs}))
    with pytest.raises(SystemExit) as ended:
        command.main(["redrive", "--stack", "dunlin-test", "--yes"])
    assert not ended.value.code


def depth(sqs: Any, queue: str) -> int:
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"].values()))
