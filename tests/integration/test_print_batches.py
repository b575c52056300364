"""Print batches against an AWS in this process: the scheduler asks, the print channel closes, once a day."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from functions.render_print import handler
from functions.render_print.print_batch import BatchCloser, Manifest
from functions.scheduler.dispatch import QUEUE_LEASE
from functions.scheduler.sweep import Sweep, SweepReport
from shared.contracts.messages import ClosePrintBatch
from shared.domain.account.setting_aside import FIRST_PAUSE
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.sending.queue_consumer import consume
from shared.storage.due_index import DueEvents, DueIndex
from shared.storage.organizations import Organizations
from shared.storage.print_batches import PrintBatches
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import ChannelStack, channel_stack
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.wiring import scheduler_ports

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

BUCKET = "dunlin-print"
MANIFEST = "batches/org_1/2026-03-02.manifest"
EVENTS = Path(__file__).resolve().parents[2] / "events"
CLOSING = json.loads((EVENTS / "render_print_close.json").read_text())["Records"][0]
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
CLOSES_AT = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
"""An hour after midnight in New York."""


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    clients.s3().create_bucket(Bucket=BUCKET)
    return channel_stack(handler, "render_print", dynamodb, monkeypatch)


@pytest.fixture
def s3(stack: ChannelStack) -> "S3Client":
    assert stack  # it makes the bucket
    return clients.s3()


@pytest.fixture
def batches(dynamodb: "DynamoDBClient") -> PrintBatches:
    return PrintBatches(dynamodb, TABLE)


def send_letters(stack: ChannelStack, *numbers: int, now: datetime = NOW) -> None:
    """Have letters sent, each to an account of its own."""
    messages = []
    for number in numbers:
        ids: dict[str, Any] = {"account_id": f"G-{number}", "notice_id": f"ntc_{number}"}
        lease = {"status": NoticeStatus.QUEUED, "lease_until": now + timedelta(minutes=15)}
        stack.given(notice(**ids, **lease, channel=Channel.PRINT), who=account(account_id=f"G-{number}"))
        messages.append(
            stack.message(accountId=f"G-{number}", noticeId=f"ntc_{number}", asOf=now.isoformat()),
        )
    assert stack.handle(*messages) == []


def closing(**changes: Any) -> dict[str, Any]:
    return {**CLOSING, "body": json.dumps(json.loads(CLOSING["body"]) | changes)}


def keys_in(s3: "S3Client") -> list[str]:
    return [content["Key"] for content in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


# --- the print channel ------------------------------------------------------------------------------------------------


def test_the_sample_event_closes_the_day_with_a_manifest(stack: ChannelStack, s3: "S3Client") -> None:
    send_letters(stack, 2, 1)
    assert stack.handle(CLOSING) == []
    stored = s3.get_object(Bucket=BUCKET, Key=MANIFEST)
    body = stored["Body"].read()
    jobs = [json.loads(s3.get_object(Bucket=BUCKET, Key=f"letters/org_1/ntc_{n}.json")["Body"].read()) for n in (1, 2)]
    assert stored["ContentType"] == "application/json"
    assert json.loads(body) == {
        "printBatchId": "org_1_2026-03-02",
        "orgId": "org_1",
        "date": "2026-03-02",
        "closedAt": "2026-03-03T06:00:00Z",
        "count": 2,
        "pages": 2,
        "sha256": Manifest.model_validate_json(body).sha256,
        "letters": [
            {name: job[name] for name in ("printJobId", "notificationId", "pdf", "pages", "sha256")} for job in jobs
        ],
    }


def test_a_manifest_names_nobody(stack: ChannelStack, s3: "S3Client") -> None:
    send_letters(stack, 1)
    stack.handle(CLOSING)
    text = s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read().decode()
    for secret in ("Ada", "Example", "Juniper", "74.60", "G-1"):
        assert secret not in text


def test_whoever_looks_for_print_jobs_by_their_ending_finds_no_manifest(stack: ChannelStack, s3: "S3Client") -> None:
    send_letters(stack, 1)
    stack.handle(CLOSING)
    assert [key for key in keys_in(s3) if key.endswith(".json")] == ["letters/org_1/ntc_1.json"]


def test_a_batch_that_is_closed_stays_as_it_is(stack: ChannelStack, s3: "S3Client", batches: PrintBatches) -> None:
    send_letters(stack, 1)
    stack.handle(CLOSING)
    first = s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read()
    assert stack.handle(CLOSING, closing(asOf="2026-03-03T09:00:00Z")) == []
    assert s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read() == first
    assert [batch.closed_at for batch in batches.closed("org_1", 10)] == [CLOSES_AT]


def test_once_its_letters_are_listed_an_organization_is_not_looked_at_again(
    stack: ChannelStack, batches: PrintBatches
) -> None:
    send_letters(stack, 1)
    stack.handle(CLOSING)
    assert batches.letters("org_1") == []
    assert {found.next_due_at for found in sweeps(stack.dynamodb, CLOSES_AT)} == {None}
    due = [item for found in sweeps(stack.dynamodb, CLOSES_AT) for item in found.due]
    assert [item for item in due if not isinstance(item, DueEvents)] == []  # its partner is told that it is closed


def test_letters_of_two_days_are_in_two_manifests(stack: ChannelStack, s3: "S3Client") -> None:
    send_letters(stack, 1)
    send_letters(stack, 2, now=NOW + timedelta(days=1))
    stack.handle(closing(asOf="2026-03-04T06:00:00Z"))
    assert [key for key in keys_in(s3) if key.endswith(".manifest")] == [
        MANIFEST,
        "batches/org_1/2026-03-03.manifest",
    ]


def test_a_closing_without_organization_or_letters_does_nothing(stack: ChannelStack, s3: "S3Client") -> None:
    assert stack.handle(closing(orgId="org_nobody")) == []
    Organizations(stack.dynamodb, TABLE).create(organization())
    assert stack.handle(CLOSING) == []
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_closing_that_fails_is_brought_again_and_the_notices_beside_it_are_sent(stack: ChannelStack) -> None:
    send_letters(stack, 1)
    stack.given(
        notice(account_id="G-2", status=NoticeStatus.QUEUED, channel=Channel.PRINT), who=account(account_id="G-2")
    )

    def no_batches(operation: str) -> None:
        if operation == "BatchGetItem":
            raise ClientError({"Error": {"Code": "InternalServerError"}}, operation)

    stack.fail = no_batches
    assert stack.handle(CLOSING, stack.message(accountId="G-2")) == [CLOSING["messageId"]]
    assert stack.row(account_id="G-2").status is NoticeStatus.SENT
    stack.fail = lambda _operation: None
    assert stack.handle(CLOSING) == []


@pytest.mark.parametrize("changes", [{"kind": "CloseEverything"}, {"orgId": 7}])
def test_a_closing_that_cannot_be_read_fails(stack: ChannelStack, changes: dict[str, Any]) -> None:
    assert stack.handle(closing(**changes)) == [CLOSING["messageId"]]


def test_another_channel_understands_no_closing(stack: ChannelStack) -> None:
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 50_000)

    def deliver(*_: object) -> Any:
        pytest.fail("nothing is to be delivered")

    sends: dict[str, Any] = {"send_sample": deliver, "allow_simulated_time": True}
    answer = consume({"Records": [CLOSING]}, context, deliver, handler.logger, **sends)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [CLOSING["messageId"]]
    assert stack.calls_to("dynamodb") == 0


def test_a_closing_that_runs_out_of_time_goes_on_later_and_closes_once(
    stack: ChannelStack, s3: "S3Client", batches: PrintBatches
) -> None:
    send_letters(stack, 1, 2, 3)
    looks = iter([False, True])
    closer = BatchCloser(batches, Organizations(stack.dynamodb, TABLE), s3, BUCKET, time_is_up=lambda: next(looks))
    closer.close("org_1", CLOSES_AT)
    assert MANIFEST in keys_in(s3)
    assert (len(batches.letters("org_1")), batches.closed("org_1", 10)) == (3, [])
    assert stack.handle(closing(asOf="2026-03-03T06:15:00Z")) == []
    assert batches.letters("org_1") == []
    assert [(batch.count, batch.closed_at) for batch in batches.closed("org_1", 10)] == [(3, CLOSES_AT)]


# --- the scheduler ----------------------------------------------------------------------------------------------------


def sweeps(dynamodb: "DynamoDBClient", now: datetime) -> list[Any]:
    index = DueIndex(dynamodb, TABLE)
    return [index.sweep(shard, now) for shard in index.shards()]


@pytest.fixture
def sqs(dynamodb: "DynamoDBClient") -> "SQSClient":
    assert dynamodb  # it begins the AWS of this process
    client = clients.sqs()
    for channel in Channel:
        client.create_queue(QueueName=channel)
    return client


def sweep(dynamodb: "DynamoDBClient", sqs: "SQSClient", now: datetime, **changes: Any) -> SweepReport:
    urls = {channel: sqs.get_queue_url(QueueName=channel)["QueueUrl"] for channel in Channel}
    ports = scheduler_ports(dynamodb, TABLE, sqs, urls)
    return Sweep(replace(ports, **changes), now=now, as_of=now).run()


def newly_asked(sqs: "SQSClient", channel: Channel = Channel.PRINT) -> list[dict[str, Any]]:
    url = sqs.get_queue_url(QueueName=channel)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_sweep_names_the_closing_of_a_batch_as_something_that_will_be_due(
    stack: ChannelStack, sqs: "SQSClient"
) -> None:
    send_letters(stack, 1)
    assert sweep(stack.dynamodb, sqs, NOW).next_due_at == CLOSES_AT
    assert newly_asked(sqs) == []


def test_a_batch_whose_time_has_come_is_asked_for_once_and_counts_as_no_notice(
    stack: ChannelStack, sqs: "SQSClient"
) -> None:
    send_letters(stack, 1)
    report = sweep(stack.dynamodb, sqs, CLOSES_AT)
    assert (report.dispatched, report.next_due_at) == (0, CLOSES_AT + QUEUE_LEASE)
    assert newly_asked(sqs) == [{"kind": "ClosePrintBatch", "orgId": "org_1", "asOf": "2026-03-03T06:00:00Z"}]
    sweep(stack.dynamodb, sqs, CLOSES_AT)
    assert newly_asked(sqs) == []


def test_a_closing_that_nobody_worked_off_is_asked_for_again(stack: ChannelStack, sqs: "SQSClient") -> None:
    send_letters(stack, 1)
    sweep(stack.dynamodb, sqs, CLOSES_AT)
    newly_asked(sqs)
    sweep(stack.dynamodb, sqs, CLOSES_AT + QUEUE_LEASE)
    assert [message["orgId"] for message in newly_asked(sqs)] == ["org_1"]


def test_a_print_queue_that_cannot_be_reached_holds_nothing_up(stack: ChannelStack, sqs: "SQSClient") -> None:
    class Unreachable(ChannelQueues):
        """A queue that takes no closing."""

        def close_print_batch(self, message: ClosePrintBatch) -> None:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, message.kind)

    send_letters(stack, 1)
    report = sweep(stack.dynamodb, sqs, CLOSES_AT, queues=Unreachable(sqs, {}))
    assert report.next_due_at is not None
    assert CLOSES_AT + FIRST_PAUSE <= report.next_due_at < CLOSES_AT + QUEUE_LEASE
