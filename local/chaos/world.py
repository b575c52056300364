"""What a cell of the crash harness starts from: a table of its own with one account that is due to hear of one bill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.yaml_helper import yaml_parse

from local.chaos.events import TEXT_TOPIC
from local.stack.supervisor import LOOPBACK
from local.stack.workspace import PROJECT
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import DunningSettings, Organization
from shared.domain.records.statement import Address, Guarantor
from shared.domain.vocabulary.words import Channel
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from shared.storage.set_asides import SetAsides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

WORLD_START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""Monday, ten in the morning in New York: inside every channel's hours, and long before they end."""

ORGANIZATION_ID, ACCOUNT_ID = "org_chaos", "G-1"
GUARANTORS_EMAIL, MOBILE_PHONE = "ada@example.com", "+15185550111"
MOST_RECEIVES = 5
MANIFEST = ".manifest"
PROCESSOR_KEY = "a-key-of-the-simulated-processor"

_PRESETS = {Channel.EMAIL: "paperless-30", Channel.SMS: "text-first", Channel.PRINT: "paper-30"}
_ADDRESS = Address(line1="12 Juniper Way", city="Albany", state="NY", postal_code="12207")
_DOCUMENT = {
    "statementId": "S-1",
    "clientId": "CHAOS",
    "totalBilled": "120.00",
    "totalBalance": "74.60",
    "guarantor": {
        "guarantorId": ACCOUNT_ID,
        "firstName": "Ada",
        "lastName": "Example",
        "address": {"line1": "12 Juniper Way", "city": "Albany", "state": "NY", "postalCode": "12207"},
    },
    "patients": [{"accountId": "P-1", "firstName": "Kim", "lastName": "Example", "dateOfBirth": "2015-06-07"}],
}


@dataclass(frozen=True)
class ChaosWorld:
    """One cell's part of a local AWS, reached without a proxy. queues and dead_letters: URLs."""

    name: str
    dynamodb: DynamoDBClient
    sqs: SQSClient
    s3: S3Client
    queues: Mapping[Channel, str]
    dead_letters: str

    @property
    def environment(self) -> dict[str, str]:
        """What the functions are told, as template.yaml tells them."""
        return {
            "TABLE_NAME": self.name,
            "PRINT_BUCKET": self.name,
            "EMAIL_QUEUE_URL": self.queues[Channel.EMAIL],
            "SMS_QUEUE_URL": self.queues[Channel.SMS],
            "PRINT_QUEUE_URL": self.queues[Channel.PRINT],
            "WEBHOOK_QUEUE_URL": "https://example.com/webhooks",
            "INGEST_FUNCTION": "ingest",
            "PUBLIC_BASE_URL": "https://pay.example.com",
            "SENDER_ADDRESS": "billing@example.com",
            "CONFIGURATION_SET": "chaos-email",
            "ALLOW_SIMULATED_TIME": "true",
            "TEXT_EVENTS_TOPIC": TEXT_TOPIC,
            "SANDBOX_PROCESSOR_URL": "https://processor.example.net",
            "SANDBOX_PROCESSOR_KEY": PROCESSOR_KEY,
        }

    def book(self) -> AccountBook:
        """The account's book as it is now."""
        found = AccountBooks(self.dynamodb, self.name).load(ORGANIZATION_ID, ACCOUNT_ID)
        if found is None:
            raise LookupError("the cell's account is gone")
        return found

    def collection(self) -> list[dict[str, Any]]:
        """The account's items as they lie in the table."""
        partition = {":pk": {"S": keys.collection(ORGANIZATION_ID, ACCOUNT_ID)}}
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=partition
        )
        return [item for page in pages for item in page["Items"]]

    def letters(self) -> list[str]:
        """The keys of all versions of all objects in the print bucket."""
        found = self.s3.list_object_versions(Bucket=self.name)
        return [version["Key"] for version in found.get("Versions", [])]

    def listed(self) -> list[str]:
        """The notices of the letters in all manifests of print batches."""
        manifests = [key for key in self.letters() if key.endswith(MANIFEST)]
        bodies = (self.s3.get_object(Bucket=self.name, Key=key)["Body"].read() for key in manifests)
        return [letter["notificationId"] for body in bodies for letter in json.loads(body)["letters"]]

    def let_something_fail(self) -> None:
        """Have a job due, before the account and in its shard, of which nothing can be read but its key."""
        shard = keys.due_shard(keys.collection(ORGANIZATION_ID, ACCOUNT_ID))
        due = {"due_shard": shard, "due_at": keys.instant(WORLD_START - timedelta(days=1))}
        item = {"pk": keys.replanning("org_unreadable"), "sk": keys.ROOT, **due}
        self.dynamodb.put_item(TableName=self.name, Item={name: {"S": value} for name, value in item.items()})

    def set_aside(self) -> int:
        """How many things that failed are listed for operators."""
        return len(SetAsides(self.dynamodb, self.name).all())

    def remove(self) -> None:
        """Give the table's memory back."""
        self.dynamodb.delete_table(TableName=self.name)
        for url in {*self.queues.values(), self.dead_letters}:
            self.sqs.delete_queue(QueueUrl=url)


class Maker:
    """Makes worlds in the local AWS on a port."""

    def __init__(self, port: int) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        endpoint = f"http://{LOOPBACK}:{port}"
        self._dynamodb = session.client("dynamodb", endpoint_url=endpoint)
        self._sqs = session.client("sqs", endpoint_url=endpoint)
        self._s3 = session.client("s3", endpoint_url=endpoint)

    def world(self, name: str, channel: Channel) -> ChaosWorld:
        """Make a table, queues and a bucket, with an account that hears of its bill on this channel only."""
        dead_letters = self._sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        queues = {to: self._queue(f"{name}-{to}", dead_letters) for to in Channel}
        self._s3.create_bucket(Bucket=name)
        self._s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        table = _table()
        self._dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=table["AttributeDefinitions"],
            KeySchema=table["KeySchema"],
            GlobalSecondaryIndexes=table["GlobalSecondaryIndexes"],
        )
        Organizations(self._dynamodb, name).create(_organization(channel))
        AccountBooks(self._dynamodb, name).commit(Change(account=_account(channel), bills=(_bill(),)))
        return ChaosWorld(name, self._dynamodb, self._sqs, self._s3, queues, dead_letters)

    def _queue(self, name: str, dead_letters: str) -> str:
        asked = self._sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": asked["Attributes"]["QueueArn"], "maxReceiveCount": MOST_RECEIVES}
        return self._sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]


@cache
def _table() -> dict[str, Any]:
    template = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
    properties: dict[str, Any] = template["Resources"]["Table"]["Properties"]
    return properties


def _organization(channel: Channel) -> Organization:
    return Organization(
        org_id=ORGANIZATION_ID,
        practice_id="prac_chaos",
        partner_id="prt_chaos",
        client_id="CHAOS",
        name="Northside Family Practice",
        short_name="Northside",
        time_zone="America/New_York",
        address=_ADDRESS,
        phone="+15185550100",
        dunning=DunningSettings(configuration_id=_PRESETS[channel]),
    )


def _account(channel: Channel) -> Account:
    """A guarantor with the contact data of one channel, so that one notice is all there is to count."""
    guarantor = Guarantor(
        guarantor_id=ACCOUNT_ID,
        first_name="Ada",
        last_name="Example",
        date_of_birth=date(1980, 2, 29),
        email=GUARANTORS_EMAIL if channel is Channel.EMAIL else "",
        mobile_phone=MOBILE_PHONE if channel is Channel.SMS else "",
        address=_ADDRESS,
    )
    zones = ("America/New_York",)
    return Account(
        org_id=ORGANIZATION_ID, account_id=ACCOUNT_ID, guarantor=guarantor, time_zones=zones, planning_at=WORLD_START
    )


def _bill() -> Bill:
    return Bill(
        statement_id="S-1",
        total_billed=120_00,
        balance=74_60,
        statement_date=WORLD_START.date(),
        created_at=WORLD_START,
        effective_created_date=WORLD_START.date(),
        aging_period="S-1/1",
        patient_account_ids=("P-1",),
        birth_dates=(date(2015, 6, 7),),
        document=json.dumps(_DOCUMENT).encode(),
    )
