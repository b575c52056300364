"""See what the local stack does, and move its time: for the demo, for tests, and by hand.

`python -m local.stack.watch logs` prints what the functions logged; `mail` and `texts` print what was sent.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stack.errors import LocalStackError, NotRunningError, UnsettledError
from local.stack.workspace import PROJECT, STACK_FILE, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 60.0
_SWEEP_SECONDS = 300
_COUNTS: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


@dataclass(frozen=True)
class SweepResult:
    """What one run of the scheduler did, and when the next has something to do."""

    collected: int
    dispatched: int
    next_due_at: datetime | None


@dataclass(frozen=True)
class SentMail:
    """One sent email, as the local AWS keeps it."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: float


@dataclass(frozen=True)
class WatchedText:
    """One sent text message."""

    message_id: str
    to: str
    message: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class StoredPrintJob:
    """One print job: its key in the print bucket and its JSON."""

    key: str
    job: Mapping[str, Any]


@dataclass(frozen=True)
class LocalStack:
    """A running local stack, by what its stack.json says."""

    api_url: str
    endpoint: str
    region: str
    name: str
    scheduler_function: str
    table: str
    drop_bucket: str
    print_bucket: str
    queues: Mapping[str, str]
    dead_letter_queues: Mapping[str, str]
    pid: int

    @classmethod
    def load(cls, path: Path = PROJECT / ".local" / STACK_FILE) -> Self:
        """Read stack.json; raises NotRunningError where there is none."""
        record = read_json(path)
        if record is None:
            raise NotRunningError(f"no local stack: {path} doesn't exist (run `make local`)")
        return cls.from_record(record)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take what is in stack.json."""
        return cls(
            api_url=record["apiUrl"],
            endpoint=record["endpointUrl"],
            region=record["region"],
            name=record["stackName"],
            scheduler_function=record["schedulerFunction"],
            table=record["tableName"],
            drop_bucket=record["dropBucket"],
            print_bucket=record["printBucket"],
            queues=record["queues"],
            dead_letter_queues=record["deadLetterQueues"],
            pid=record["pid"],
        )

    @property
    def environment(self) -> dict[str, str]:
        """The AWS environment that makes `dunlin`, boto3 and the SAM CLI talk to this stack."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "DUNLIN_STACK": self.name,
        }

    @cached_property
    def _session(self) -> boto3.Session:
        return _session(self.region)

    @cached_property
    def _config(self) -> Config:
        return Config(read_timeout=_SWEEP_SECONDS, retries={"total_max_attempts": 1})

    @cached_property
    def _sqs(self) -> SQSClient:
        return self._session.client("sqs", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def _s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self.endpoint, config=self._config)

    def advance(self, as_of: datetime) -> SweepResult:
        """Run the scheduler as of an instant; raises LocalStackError with its error if it fails."""
        function = self._session.client("lambda", endpoint_url=self.endpoint, config=self._config)
        payload = json.dumps({"asOf": instant(as_of)}).encode()
        answer = function.invoke(FunctionName=self.scheduler_function, Payload=payload)
        result = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError") or not isinstance(result, dict):
            raise LocalStackError(f"the scheduler failed as of {instant(as_of)}: {result}")
        due = result["nextDueAt"]
        return SweepResult(result["collected"], result["dispatched"], datetime.fromisoformat(due) if due else None)

    def limit_copies(self, most: int) -> None:
        """Let each channel's function run in that many copies at once, 2 or more: starting one costs CPU seconds."""
        function = self._session.client("lambda", endpoint_url=self.endpoint, config=self._config)
        for mapping in function.list_event_source_mappings()["EventSourceMappings"]:
            function.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": most})

    def pending(self) -> dict[str, int]:
        """Return for each queue how many messages it holds, those being worked on included."""
        return {name: self._count(url) for name, url in self.queues.items()}

    def settle(self, patience: float = _SETTLE_SECONDS) -> None:
        """Wait until every queue is empty; raises UnsettledError with what is left after `patience` seconds.

        A message whose handling failed stays in its queue, unseen, until its visibility timeout is over.
        """
        deadline = time.monotonic() + patience
        # Looking costs the local AWS as much as working does: the next queue is asked for once one is empty.
        while any(self._count(url) for url in self.queues.values()):
            if time.monotonic() >= deadline:
                raise UnsettledError(self.pending())
            time.sleep(_POLL_SECONDS)

    def dead_letters(self) -> dict[str, int]:
        """Return for each dead-letter queue how many messages it holds."""
        return {name: self._count(url) for name, url in self.dead_letter_queues.items()}

    def sent_mail(self) -> list[SentMail]:
        """Return every email sent, the oldest first."""
        accounts = self._inspect("ses/messages")["messages"]
        records = [record for account in accounts.values() for record in account]
        return [
            SentMail(
                message_id=record["MessageId"],
                sender=record["Source"],
                to=tuple(record["To"]),
                subject=record["Subject"],
                text=record["BodyText"] or "",
                html=record["BodyHtml"] or "",
                sent_at=record["Timestamp"],
            )
            for record in sorted(records, key=lambda record: record["Timestamp"])
        ]

    def sent_texts(self) -> list[WatchedText]:
        """Return every text message sent, by phone number, the oldest of each number first."""
        numbers = self._inspect("sns/sms-messages")["sms_messages"]
        return [
            WatchedText(record["MessageId"], number, record["Message"], record.get("MessageAttributes") or {})
            for number, records in sorted(numbers.items())
            for record in records
        ]

    def print_jobs(self) -> list[StoredPrintJob]:
        """Return every print job in the print bucket, by key."""
        return [
            StoredPrintJob(key, json.loads(self.printed(key))) for key in self.printed_keys() if key.endswith(".json")
        ]

    def printed_keys(self) -> list[str]:
        """Return the keys of all that is in the print bucket: the letters and their jobs."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.print_bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def printed(self, key: str) -> bytes:
        """Return one object of the print bucket, a letter's PDF for instance."""
        return self._s3.get_object(Bucket=self.print_bucket, Key=key)["Body"].read()

    def logs(self, function: str = "") -> list[str]:
        """Return what the functions logged, the oldest first; `function` keeps those whose name contains it."""
        return read_logs(self.endpoint, function, self.region)

    def _count(self, url: str) -> int:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS)["Attributes"]
        return sum(int(attributes.get(count, "0")) for count in _COUNTS)

    def _inspect(self, path: str) -> dict[str, Any]:
        """Read one of the local AWS's own pages."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.endpoint}/_ministack/{path}", timeout=_SETTLE_SECONDS) as answer:
            value: dict[str, Any] = json.load(answer)
            return value


def read_logs(endpoint: str, function: str = "", region: str = "us-east-1") -> list[str]:
    """Return the log lines of the functions whose name contains `function`, the oldest first."""
    logs = _session(region).client("logs", endpoint_url=endpoint)
    found: list[tuple[int, str, str]] = []
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        name = group["logGroupName"].removeprefix("/aws/lambda/")
        if function.lower() not in name.lower():
            continue
        try:
            events = logs.filter_log_events(logGroupName=group["logGroupName"], limit=10_000)["events"]
        except ClientError:
            continue  # a group that has no stream yet
        found.extend((event["timestamp"], name, event["message"].rstrip()) for event in events)
    return [f"{name} {message}" for _, name, message in sorted(found, key=lambda line: line[0])]


def instant(moment: datetime) -> str:
    """Return an instant as RFC 3339 in UTC; it must have a time zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _session(region: str) -> boto3.Session:
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)  # noqa: S106 - the local AWS takes any


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the stack logged or sent."""
    parser = argparse.ArgumentParser(prog="python -m local.stack.watch", description=__doc__)
    parser.add_argument("what", choices=["logs", "mail", "texts"])
    parser.add_argument("--function", default="", help="for logs: only functions with this in their name")
    parser.add_argument("--stack", type=Path, default=PROJECT / ".local" / STACK_FILE, help="the stack.json to use")
    arguments = parser.parse_args(argv)
    try:
        stack = LocalStack.load(arguments.stack)
    except NotRunningError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.what == "logs":
        lines = stack.logs(arguments.function)
    elif arguments.what == "mail":
        lines = [f"{', '.join(mail.to)}\t{mail.subject}" for mail in stack.sent_mail()]
    else:
        lines = [f"{text.to}\t{text.message}" for text in stack.sent_texts()]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
