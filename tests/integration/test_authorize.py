"""The authorizer of the partner API."""

from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import pytest

from functions.authorize import handler
from functions.authorize.ports import ports
from shared.domain.records.partner import ApiKey, Scope, new_api_key
from shared.storage.api_keys import ApiKeys
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/v1/organizations"


@pytest.fixture
def api_keys(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ApiKeys:
    wired(monkeypatch, ports, TABLE_NAME=TABLE)
    return ApiKeys(dynamodb, TABLE)


def given_key(api_keys: ApiKeys, *, live: bool = False) -> tuple[ApiKey, str]:
    key, presented = new_api_key("prt_1", frozenset({Scope.READ, Scope.MANAGE}), NOW, token_bytes, live=live)
    api_keys.save(key)
    return key, presented


def authorize(header: str) -> dict[str, Any]:
    answer: dict[str, Any] = handler.lambda_handler(
        {"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}, lambda_context()
    )
    return answer


def test_a_valid_key_may_call_every_path_and_names_its_partner(api_keys: ApiKeys) -> None:
    key, presented = given_key(api_keys)
    answer = authorize(f"Bearer {presented}")
    assert answer["context"] == {"partnerId": "prt_1", "keyId": key.key_id, "scopes": "manage read"}
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/*"


def test_two_keys_of_a_partner_work_side_by_side(api_keys: ApiKeys) -> None:
    first, second = given_key(api_keys)[1], given_key(api_keys, live=True)[1]
    assert first.startswith("dun_test_")
    assert second.startswith("dun_live_")
    assert authorize(f"Bearer {first}")["context"]["partnerId"] == "prt_1"
    assert authorize(f"bearer {second}")["context"]["partnerId"] == "prt_1"


def test_a_revoked_key_is_refused(api_keys: ApiKeys) -> None:
    key, presented = given_key(api_keys)
    api_keys.save(replace(key, revoked_at=NOW))
    with pytest.raises(handler.UnauthorizedError, match=r"^Unauthorized$"):
        authorize(f"Bearer {presented}")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda key: "",
        lambda key: "Bearer",
        lambda key: key,
        lambda key: f"Basic {key}",
        lambda key: f"Bearer {key[:-1]}",
        lambda key: f"Bearer {key[:-1]}{'0' if key[-1] != '0' else '1'}",
        lambda key: f"Bearer {key}0",
        lambda key: f"Bearer {key.replace('dun_test', 'dun_live')}",
        lambda key: "Bearer dun_test_0000000000000000_" + "0" * 64,
        lambda key: "Bearer dun_test_../../etc_" + "0" * 64,
        lambda key: "Bearer dün_test_" + "ä" * 90,
    ],
)
def test_anything_but_the_whole_key_is_unauthorized(api_keys: ApiKeys, wrong: Any) -> None:
    presented = given_key(api_keys)[1]
    with pytest.raises(handler.UnauthorizedError, match=r"^Unauthorized$"):
        authorize(wrong(presented))


def test_the_secret_itself_is_nowhere_in_the_table(api_keys: ApiKeys, dynamodb: "DynamoDBClient") -> None:
    presented = given_key(api_keys)[1]
    secret = presented.rsplit("_", 1)[1]
    for item in some(dynamodb.scan(TableName=TABLE)["Items"]):
        assert secret not in str(item)
    (key,) = [api_keys.get(presented.split("_")[2])]
    assert key is not None
    assert secret not in repr(key)
