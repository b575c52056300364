"""The table in memory behind the client answers as moto's does, and refuses what it refuses."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.worlds.aws import create_table
from tests.worlds.table_expressions import NotInTheFakeError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MEMORY, MOTO = "in-memory", "by-moto"
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ITEM = {
    **KEY,
    "body": {"B": b"\x00\xff"},
    "n": {"N": "3"},
    "words": {"SS": ["x", "y"]},
    "map": {"M": {"B": {"S": "b"}}},
}
IS_THREE = {"ConditionExpression": "#n = :n", "ExpressionAttributeNames": {"#n": "n"}}
THREE, FOUR = ({"ExpressionAttributeValues": {":n": {"N": n}}} for n in ("3", "4"))

REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "an item": ("get_item", {"Key": KEY}),
    "no item": ("get_item", {"Key": {"pk": {"S": "b"}, "sk": {"S": "1"}}}),
    "a condition that holds": ("put_item", {"Item": ITEM, **IS_THREE, **THREE}),
    "one that doesn't": ("put_item", {"Item": ITEM, **IS_THREE, **FOUR}),
    "one that doesn't and shows what is there": (
        "put_item",
        {"Item": ITEM, **IS_THREE, **FOUR, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
    ),
    "an update": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET n = n + :n REMOVE words", **THREE, "ReturnValues": "ALL_NEW"},
    ),
    "a count": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET words = :n ADD n :n, new :n", **THREE, "ReturnValues": "ALL_NEW"},
    ),
    "a deletion": ("delete_item", {"Key": KEY, **IS_THREE, **THREE}),
    "a query": ("query", {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}),
    "a query for a member": (
        "query",
        {
            "KeyConditionExpression": "pk = :pk",
            "FilterExpression": "contains(words, :word)",
            "ExpressionAttributeValues": {":pk": {"S": "a"}, ":word": {"S": "y"}},
        },
    ),
    "a query for a part of a text": (
        "query",
        {
            "KeyConditionExpression": "pk = :pk",
            "FilterExpression": "contains(sk, :word)",
            "ExpressionAttributeValues": {":pk": {"S": "a"}, ":word": {"S": "2"}},
        },
    ),
    "all there is": ("scan", {}),
    "a name that isn't used": ("get_item", {"Key": KEY, "ExpressionAttributeNames": {"#n": "n"}}),
    "a reserved word": ("put_item", {"Item": ITEM, "ConditionExpression": "status = :n", **THREE}),
    "an empty key": ("put_item", {"Item": {"pk": {"S": ""}, "sk": {"S": "1"}}}),
}


@pytest.fixture
def client(aws: None) -> "DynamoDBClient":
    """A client of two tables, of each kind one."""
    create_table(MOTO, moto=True)
    return create_table(MEMORY)


UNSAID = {"ResponseMetadata", "ScannedCount", "ConsumedCapacity"}


def said(client: "DynamoDBClient", table: str, operation: str, request: dict[str, Any]) -> Any:
    """What is answered or refused, but for words to people and what isn't said of a request."""
    try:
        answer = getattr(client, operation)(TableName=table, **request)
    except ClientError as error:
        told: Any = error.response
        return told["Error"]["Code"], told.get("Item")
    return {name: value for name, value in answer.items() if name not in UNSAID}


@pytest.mark.parametrize("name", REQUESTS)
def test_each_kind_of_table_says_the_same(client: "DynamoDBClient", name: str) -> None:
    operation, request = REQUESTS[name]
    for table in (MEMORY, MOTO):
        client.put_item(TableName=table, Item=ITEM)  # type: ignore[arg-type] # a plain dictionary
    assert said(client, MEMORY, operation, request) == said(client, MOTO, operation, request)
    assert said(client, MEMORY, "scan", {}) == said(client, MOTO, "scan", {})


@pytest.mark.parametrize(
    "stated",
    [
        {"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":n": {"N": "3"}}},
        {"ConditionExpression": "attribute_exists(pk) OR n = :n"},
    ],
    ids=["not used", "not given"],
)
def test_values_that_are_not_used_or_not_given_are_refused(client: "DynamoDBClient", stated: dict[str, Any]) -> None:
    """Moto takes the one and breaks at the other."""
    assert said(client, MEMORY, "put_item", {"Item": ITEM, **stated}) == ("ValidationException", None)


def test_a_transaction_says_of_each_write_why_it_was_cancelled(client: "DynamoDBClient") -> None:
    def codes(table: str) -> list[str]:
        writes: Any = [
            {"Put": {"TableName": table, "Item": KEY}},
            {"Put": {"TableName": table, "Item": {**KEY, "sk": {"S": "2"}}, **IS_THREE, **THREE}},
        ]
        with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
            client.transact_write_items(TransactItems=writes)
        assert said(client, table, "scan", {})["Count"] == 0
        return [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]

    assert codes(MEMORY) == codes(MOTO) == ["None", "ConditionalCheckFailed"]


def test_a_transaction_that_is_sent_twice_happens_once(client: "DynamoDBClient") -> None:
    """The client does so when it had no answer."""
    write: Any = {
        "Update": {"TableName": MEMORY, "Key": KEY, "UpdateExpression": "SET n = if_not_exists(n, :n) + :n", **THREE}
    }
    for _ in range(2):
        client.transact_write_items(TransactItems=[write], ClientRequestToken="t-1")
    assert client.get_item(TableName=MEMORY, Key=KEY)["Item"]["n"] == {"N": "6"}
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(TransactItems=[write, write], ClientRequestToken="t-1")


def test_what_the_table_does_not_know_is_refused_loudly(client: "DynamoDBClient") -> None:
    with pytest.raises(NotInTheFakeError):
        client.scan(TableName=MEMORY, FilterExpression="attribute_exists(pk)")
