"""The scheduler with its surroundings in this process."""

import json
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.sweep import Sweep, SweepReport
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.wiring import scheduler_ports

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

END_OF_DAY = NOW.replace(hour=22, minute=55)
PORTS = {port.name for port in fields(SchedulerPorts)}


@dataclass
class Stack:
    """One organization with one account that is due, its table and its queues."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    urls: dict[Channel, str]

    @property
    def ports(self) -> SchedulerPorts:
        return scheduler_ports(self.dynamodb, TABLE, self.sqs, self.urls)

    @property
    def books(self) -> AccountBooks:
        return self.ports.books

    def sweep(self, now: datetime = NOW, **changes: Any) -> SweepReport:
        """A run of the scheduler. changes: ports that are replaced, or other things that a sweep is made of."""
        replaced = {name: changes.pop(name) for name in PORTS & set(changes)}
        return Sweep(replace(self.ports, **replaced), now=now, as_of=now, **changes).run()

    def book(self, account_id: str = "G-1") -> AccountBook:
        found = self.books.load("org_1", account_id)
        assert found is not None
        return found

    def notices(self) -> dict[Channel, Notice]:
        return {row.channel: row for row in self.book().notices}

    def messages(self, channel: Channel) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.urls[channel], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def scheduler_stack(dynamodb: "DynamoDBClient") -> Stack:
    """Make the queues, and store the organization and its account."""
    sqs = clients.sqs()
    urls = {channel: sqs.create_queue(QueueName=channel)["QueueUrl"] for channel in Channel}
    Organizations(dynamodb, TABLE).create(organization())
    made = Stack(dynamodb, sqs, urls)
    made.books.commit(Change(account=account(planning_at=NOW), bills=(bill(),)))
    return made
