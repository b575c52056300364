"""A channel's function with its surroundings in this process, and everything it asks AWS for."""

import json
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import account, bill, organization
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENTS = Path(__file__).resolve().parents[2] / "events"
BASE_URL = "https://pay.example.com"


@dataclass
class ChannelStack:
    """`calls` counts the calls to AWS by service and operation, `requests` keeps their parameters.

    answers: what AWS answers to an operation that moto doesn't know.
    """

    handler: ModuleType
    event: dict[str, Any]
    dynamodb: "DynamoDBClient"
    calls: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fail: Callable[[str], None] = lambda _operation: None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    milliseconds_left: int = 50_000
    handling: bool = False

    @property
    def books(self) -> AccountBooks:
        return AccountBooks(self.dynamodb, TABLE)

    def given(self, *notices: Notice, who: Account | None = None, practice: Organization | None = None) -> None:
        """Store an organization and an account with its bill and notices."""
        organizations = Organizations(self.dynamodb, TABLE)
        if organizations.get("org_1") is None:
            organizations.create(practice or organization())
        new = who or account()
        self.books.commit(Change(account=new, bills=(bill(document=DOCUMENT),), notices=notices))

    def book(self, account_id: str = "G-1") -> AccountBook:
        found = self.books.load("org_1", account_id)
        assert found is not None
        return found

    def row(self, notice_id: str = "ntc_1", account_id: str = "G-1") -> Notice:
        found = Notices(self.dynamodb, TABLE).load("org_1", account_id, notice_id)
        assert found is not None
        return found

    def message(self, **changes: Any) -> dict[str, Any]:
        """A record of the sample event, with some members of its body changed."""
        record = deepcopy(self.event["Records"][0])
        body = json.loads(record["body"]) | changes
        return {**record, "body": json.dumps(body)}

    def handle(self, *records: dict[str, Any]) -> list[str]:
        """Invoke the function with records, or with the sample event; answer the messages that failed."""
        event = {"Records": list(records)} if records else self.event
        self.calls.clear()
        self.requests.clear()
        left = self.milliseconds_left
        self.handling = True
        try:
            answer = self.handler.lambda_handler(event, lambda_context(lambda: left))
        finally:
            self.handling = False
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of the calls of an operation."""
        return [parameters for name, parameters in self.requests if name == operation]

    def calls_to(self, service: str) -> int:
        return sum(count for name, count in self.calls.items() if name.startswith(f"{service}."))


def channel_stack(
    handler: ModuleType, name: str, dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> ChannelStack:
    """Set a channel's function up as its template does."""
    settings = {
        "TABLE_NAME": TABLE,
        "PUBLIC_BASE_URL": BASE_URL,
        "ALLOW_SIMULATED_TIME": "true",
        "SENDER_ADDRESS": "billing@dunlin.example",
        "CONFIGURATION_SET": "dunlin",
        "PRINT_BUCKET": "dunlin-print",
    }
    wired(monkeypatch, handler.ports, **settings)
    stack = ChannelStack(handler, json.loads((EVENTS / f"{name}.json").read_text()), dynamodb)

    def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
        if stack.handling:
            stack.requests.append((model.name, deepcopy(params)))

    def count(model: Any, **_: Any) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        if not stack.handling:
            return None
        stack.calls[f"{model.service_model.service_name}.{model.name}"] += 1
        stack.fail(model.name)
        answer = stack.answers.get(model.name)
        return (SimpleNamespace(status_code=200), answer) if answer else None

    ports = handler.ports()
    for client in (ports.books.client, ports.sender.client):
        listen(client, "provide-client-params", keep)
        listen(client, "before-call", count)
    return stack


DOCUMENT = json.dumps(
    {
        "statementId": "S-1",
        "clientId": "NORTH",
        "totalBilled": "120.00",
        "totalBalance": "74.60",
        "statementMessage": "Thank you for choosing us.",
        "guarantor": {
            "guarantorId": "G-1",
            "firstName": "Ada",
            "lastName": "Example",
            "address": {"line1": "12 Juniper Way", "city": "Albany", "state": "NY", "postalCode": "12207"},
        },
        "patients": [
            {
                "accountId": "P-1",
                "firstName": "Kim",
                "lastName": "Example",
                "dateOfBirth": "2015-06-07",
                "email": "kim@example.com",
                "visits": [
                    {
                        "visitId": "V-1",
                        "date": "2026-02-03",
                        "provider": {"name": "Dr. Grace Sample"},
                        "locationName": "Main Street",
                        "charges": [
                            {
                                "date": "2026-02-03",
                                "code": "99213",
                                "description": "Office visit",
                                "billed": "120.00",
                                "insurancePaid": "40.00",
                                "adjustment": "5.40",
                                "patientPaid": "0.00",
                                "balance": "74.60",
                            }
                        ],
                    }
                ],
            }
        ],
    }
).encode()
