"""The sample events of the partner API and its authorizer: each is answered as it says it should be."""

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.authorize import handler as authorize
from functions.authorize.ports import ports as authorize_ports
from functions.manage.handler import lambda_handler
from shared.domain.records.partner import ApiKey, Scope
from shared.storage.account_books import AccountBooks
from shared.storage.api_keys import ApiKeys
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, notice
from tests.worlds.manage_api import CONTEXT, ORGANIZATION, OWN, store
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENTS = Path(__file__).resolve().parents[2] / "events"


def read(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.mark.parametrize(
    ("name", "status", "shows"),
    [
        ("manage_create_organization", 201, {"clientId": "LAKE", "phone": "+12185550140", "location": "Duluth, MN"}),
        ("manage_change_dunning", 200, {"configurationId": "gentle-45", "minimumPrint": "10.00"}),
        ("manage_change_account", 200, {"holds": ["Dispute"]}),
        ("manage_list_notifications", 200, {"nextCursor": None}),
        ("manage_read_bill", 200, {"balance": "74.60"}),
        ("manage_post_payment", 201, {"amount": "74.60", "receivedOn": "2026-03-02"}),
        ("manage_send_payment_link", 201, {"status": "Sent", "expiresAt": "2026-03-03T15:00:00.000Z"}),
    ],
)
def test_each_sample_event_is_answered(
    manage_books: AccountBooks, name: str, status: int, shows: dict[str, Any]
) -> None:
    store(manage_books, notices=(notice(),))
    external = {"urlTemplate": "https://pay.example.com/?m={id}&a={amount}", "id": "N-1"}
    assert OWN.patch(ORGANIZATION, {"payments": {"processor": "external", "external": external}}).status == 200
    answer = lambda_handler(read(name), CONTEXT)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == status
    assert {member: body[member] for member in shows} == shows


def test_every_sample_event_is_tried() -> None:
    tried = {mark.args[1][n][0] for mark in test_each_sample_event_is_answered.pytestmark for n in range(7)}
    assert tried == {path.stem for path in EVENTS.glob("manage_*.json")}


def test_the_sample_of_the_authorizer_is_let_in(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    event, api_keys = read("authorize"), ApiKeys(dynamodb, TABLE)
    presented = event["authorizationToken"].removeprefix("Bearer ")
    key = ApiKey(
        key_id="0123456789abcdef",
        partner_id="prt_1",
        secret_hash=sha256(presented.encode()).hexdigest(),
        scopes=frozenset({Scope.READ}),
        created_at=NOW,
    )
    api_keys.save(key)
    wired(monkeypatch, authorize_ports, TABLE_NAME=TABLE)
    answer = authorize.lambda_handler(event, CONTEXT)
    assert answer["context"] == {"partnerId": "prt_1", "keyId": "0123456789abcdef", "scopes": "read"}
