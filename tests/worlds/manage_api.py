"""Calls the partner API of functions/manage as the gateway does: the fixtures and helpers of its tests."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from functions.manage.handler import lambda_handler
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import Due, DueIndex
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill
from tests.worlds.gateway import addressed, assert_described
from tests.worlds.lambda_context import lambda_context

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ALL = "manage payments:write read send statements:write"
CONTEXT = lambda_context(lambda: 29_000)


@dataclass(frozen=True)
class Reply:
    """An answer, its body parsed."""

    status: int
    body: Any
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Caller:
    """A partner's key, at a time. decoded: the gateway decodes paths, as the local one does."""

    partner_id: str = "prt_1"
    scopes: str = ALL
    at: datetime = NOW
    headers: dict[str, str] = field(default_factory=dict)
    decoded: bool = False

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> Reply:
        return self.call("PATCH", path, body)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """`body`: text as it is, anything else as JSON. Header names with underscores for hyphens."""
        parts = urlsplit(path)
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = lambda_handler(event(method, parts.path, query, text, self, names), CONTEXT)
        assert_described(method, parts.path, answer)
        sent = {name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
        kind = sent.get("Content-Type", "")
        parsed = json.loads(answer["body"]) if "json" in kind and answer["body"] else answer["body"]
        return Reply(answer["statusCode"], parsed, sent, answer["body"])


def event(
    method: str, path: str, query: dict[str, str], body: str | None, caller: Caller, headers: dict[str, str]
) -> dict[str, Any]:
    """A proxy event of the REST API."""
    return {
        **addressed(method, path, decoded=caller.decoded),
        "httpMethod": method,
        "headers": {"Dunlin-As-Of": caller.at.isoformat(), "Content-Type": "application/json", **headers},
        "multiValueHeaders": {},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "r-1",
            "httpMethod": method,
            "path": f"/prod{path}",
            "stage": "prod",
            "authorizer": {"partnerId": caller.partner_id, "keyId": "k1", "scopes": caller.scopes},
            "identity": {},
        },
        "body": b64encode(body.encode("utf-8", "surrogateescape")).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


OWN = Caller()
FOREIGN = Caller(partner_id="prt_2")
ORGANIZATION = "/v1/organizations/org_1"
BILL = f"{ORGANIZATION}/bills/S-1"
ACCOUNT = f"{ORGANIZATION}/accounts/G-1"
QUEUE = f"{ORGANIZATION}/notifications"
DUNNING = f"{ORGANIZATION}/dunning"
IDS = {
    "orgId": "org_1",
    "statementId": "S-1",
    "accountId": "G-1",
    "notificationId": "ntc_1",
    "paymentLinkId": "lnk_1",
    "paymentId": "pay_1",
    "taskId": "tsk_1",
    "ingestionId": "ing_1",
    "configurationId": "standard-30",
    "hold": "Dispute",
    "templateId": "Initial",
    "staffId": "stf_1",
    "endpointId": "whe_1",
    "deliveryId": "dlv_1",
}
"""What the tests of all routes put for each id of a path."""
PAID_ONLINE: dict[str, Any] = {
    "payments": {
        "processor": "external",
        "external": {"urlTemplate": "https://pay.example.com/?m={id}&a={amount}", "id": "N-1"},
    }
}
"""A change after which an organization takes payments online."""


def store(books: AccountBooks, guarantor: Account | None = None, **belongings: Any) -> None:
    """An account, as it is or with one bill."""
    books.commit(Change(account=guarantor or account(), **({"bills": (bill(),)} | belongings)))


def stored(books: AccountBooks, account_id: str = "G-1") -> AccountBook:
    """The account as it is now."""
    book = books.load("org_1", account_id)
    assert book is not None
    return book


def due(table: "DynamoDBClient", now: datetime = NOW) -> set[Due]:
    """All that is due at a time."""
    return {item for shard in keys.due_shards() for item in DueIndex(table, TABLE).sweep(shard, now).due}


def snapshot(table: "DynamoDBClient") -> list[dict[str, Any]]:
    """Everything in the table."""
    return [dict(item) for item in table.scan(TableName=TABLE)["Items"]]


def pointers(body: Any) -> list[str]:
    """Where a problem says that something is wrong."""
    return [error["pointer"] for error in body["errors"]]


def filled(path: str) -> str:
    """A route's path with an id for each name in it."""
    return re.sub(r"\{(\w+)\}", lambda found: IDS[found[1]], path)
