"""Plays the cases of tests/cases: input that went wrong somewhere, in this product or in one like it.

A case is a file `<number>-<name>.json`: `situation`, `expected`, `inputs`, and where it was found. Its people are made
up. `inputs` come in two forms: whole statements, whose `clientId` is CLIENT; and members, each with the values that
were seen there, which a test tries one by one in a plain statement. `case` reads a file, `CasePractice` takes its input
in as partners send it, and shows what came of it.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.partner import Partner as Owner
from shared.domain.vocabulary.words import Channel
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, organization
from tests.worlds.ingest_api import BUCKET, Partner, Reply, drop
from tests.worlds.scheduler_stack import Stack
from tests.worlds.statement_examples import statement

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

CASES = Path(__file__).resolve().parents[1] / "cases"
CLIENT = "NORTH"

PLACES = {
    "patientDateOfBirth": "patients__0__dateOfBirth",
    "dateOfBirth": "patients__0__dateOfBirth",
    "totalBalance": "totalBalance",
    "chargeBilled": "patients__0__visits__0__charges__0__billed",
    "statementMessage": "statementMessage",
    "resetBill": "resetBill",
    "billTo": "billTo",
    "provider": "patients__0__visits__0__provider",
    "electronicOptOut": "electronicOptOut",
    "email": "guarantor__email",
    "mobilePhone": "guarantor__mobilePhone",
    "language": "guarantor__language",
    "firstName": "guarantor__firstName",
    "lastName": "guarantor__lastName",
    "address": "guarantor__address",
}
"""Where a case's member stands in a statement, as `statement_examples.statement` names places."""


@dataclass(frozen=True)
class Case:
    """One case as its file says it, with this practice for CLIENT."""

    name: str
    situation: str
    expected: str
    inputs: dict[str, Any]

    def statements(self, part: str = "") -> list[dict[str, Any]]:
        """The whole statements of a part of the inputs; by itself of all."""
        found = self.inputs[part] if part else self.inputs
        made: list[dict[str, Any]] = deepcopy(found["statements"])
        return made

    def values(self, member: str) -> list[Any]:
        """What was seen in a member."""
        found = self.inputs[member]
        return list(found) if isinstance(found, list) else [found]

    def variants(self, *members: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Plain statements with one value of one member each: the member, the value, the statement."""
        for member in members or tuple(self.inputs):
            for number, value in enumerate(self.values(member)):
                name = f"S-{member}-{number}"
                changed = statement(name, guarantor__guarantorId=f"G-{name}", **{PLACES[member]: value})
                yield member, value, changed


def case(name: str) -> Case:
    """Read a case by the beginning of its file's name: its number is enough."""
    (path,) = CASES.glob(f"{name}-*.json")
    told = json.loads(path.read_text().replace('"CLIENT"', f'"{CLIENT}"'))
    return Case(told["case"], told["situation"], told["expected"], told["inputs"])


@dataclass
class CasePractice:
    """A practice of a partner, with its table, its drop bucket and its queues in this process."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    stack: Stack
    partner: Partner = field(default_factory=Partner)

    def send(self, *statements: Any, at: datetime = NOW, **header: Any) -> Reply:
        """Send statements through the API."""
        return Partner(at=at).send(*statements, **header)

    def takes(self, changed: dict[str, Any], at: datetime = NOW) -> dict[str, Any]:
        """Send one statement; what became of it."""
        (row,) = self.send(changed, at=at).body["statements"]
        found: dict[str, Any] = row
        return found

    def drop(self, body: bytes, name: str = "monday.json") -> dict[str, Any]:
        """Drop a file; its ingestion afterwards, with its rows."""
        key = f"drops/prt_1/{name}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        drop(key)
        listed = self.partner.get("/v1/ingestions").body["items"]
        ingestion: dict[str, Any] = next(each for each in listed if each["fileName"] == name)
        rows = self.partner.get(f"/v1/ingestions/{ingestion['ingestionId']}/statements").body["items"]
        return ingestion | {"rows": rows}

    def plan(self, at: datetime = NOW) -> None:
        """Let the clockwork run."""
        self.stack.sweep(at)

    def book(self, account_id: str) -> AccountBook:
        found = AccountBooks(self.dynamodb, TABLE).load("org_1", account_id)
        assert found is not None
        return found

    def account(self, account_id: str) -> Account:
        return self.book(account_id).account

    def account_of(self, changed: dict[str, Any]) -> Account:
        """The account of a statement's guarantor."""
        return self.account(changed["guarantor"]["guarantorId"])

    def notices(self, account_id: str) -> dict[Channel, Notice]:
        """An account's notices by their channels: what waits, and what was refused with its reason."""
        return {row.channel: row for row in self.book(account_id).notices}


def case_practice(dynamodb: "DynamoDBClient", **settings: Any) -> CasePractice:
    """Open a practice; `settings` change the organization."""
    organizations = Organizations(dynamodb, TABLE)
    organizations.create_partner(Owner(partner_id="prt_1", name="Example Billing", created_at=NOW))
    organizations.create(organization(**settings))
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    urls = {channel: sqs.create_queue(QueueName=channel)["QueueUrl"] for channel in Channel}
    return CasePractice(dynamodb, s3, Stack(dynamodb, sqs, urls))


def pointers(row: dict[str, Any]) -> list[str]:
    """Where a statement's warnings point."""
    return [warning["pointer"] for warning in row["warnings"]]
