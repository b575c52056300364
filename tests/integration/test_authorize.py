"""The authorizer of the partner API."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import pytest

from functions.authorize import handler
from functions.authorize.ports import ports
from shared.domain.records.partner import ApiKey, Partner, Scope, new_api_key
from shared.domain.vocabulary.words import AccountStatus
from shared.storage.api_keys import ApiKeys
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, listen
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


def test_the_last_use_is_written_once_a_day_whatever_the_number_of_requests(api_keys: ApiKeys) -> None:
    key, presented = given_key(api_keys)
    calls = list[str]()
    listen(ports().api_keys.client, "before-call.dynamodb", lambda model, **_: calls.append(model.name))
    for _ in range(3):
        handler.authenticate(f"Bearer {presented}", ports().api_keys, NOW)
    assert calls.count("UpdateItem") == 1
    handler.authenticate(f"Bearer {presented}", ports().api_keys, NOW + timedelta(days=1))
    assert calls.count("UpdateItem") == 2
    stored = api_keys.get(key.key_id)
    assert stored == replace(key, last_used_on=date(2026, 3, 3))


def test_the_note_of_a_use_brings_no_revoked_key_back(api_keys: ApiKeys) -> None:
    key, presented = given_key(api_keys)
    handler.authenticate(f"Bearer {presented}", api_keys, NOW)
    api_keys.save(replace(key, revoked_at=NOW))
    api_keys.note_use(key.key_id, NOW.date() + timedelta(days=1))
    with pytest.raises(handler.UnauthorizedError):
        handler.authenticate(f"Bearer {presented}", api_keys, NOW)


@pytest.mark.parametrize("status", AccountStatus)
def test_only_an_archived_partners_keys_are_refused(api_keys: ApiKeys, status: AccountStatus) -> None:
    _, presented = given_key(api_keys)
    Organizations(api_keys.client, TABLE).create_partner(
        Partner(partner_id="prt_1", name="Acme", created_at=NOW, account_status=status)
    )
    if status is AccountStatus.ARCHIVED:
        with pytest.raises(handler.UnauthorizedError):
            authorize(f"Bearer {presented}")
    else:
        assert authorize(f"Bearer {presented}")["context"]["partnerId"] == "prt_1"


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
