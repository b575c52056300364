"""Writes that happen together or not at all."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.storage.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_WRITES = 100
"""DynamoDB's limit on one transaction."""

LOST_RACE = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class TooManyWritesError(Exception):
    """A change has more items than one transaction may hold."""


def put(table: str, item: Item, condition: str = "", values: dict[str, Any] | None = None) -> dict[str, Any]:
    """One Put of a transaction, with the condition under which it may happen."""
    write: dict[str, Any] = {"TableName": table, "Item": item}
    if condition:
        write["ConditionExpression"] = condition
    if values:
        write["ExpressionAttributeValues"] = values
    return {"Put": write}


def check(table: str, pk: str, sk: str, condition: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """One condition of a transaction on an item that it doesn't write."""
    wanted: dict[str, Any] = {
        "TableName": table,
        "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
        "ConditionExpression": condition,
    }
    if values:
        wanted["ExpressionAttributeValues"] = values
    return {"ConditionCheck": wanted}


def transact(client: "DynamoDBClient", writes: list[Any]) -> bool:
    """Write all or nothing. False: a condition didn't hold, or another transaction was at the same items.

    Raises TooManyWritesError for more than MOST_WRITES, and whatever the client raises for anything else.
    """
    if len(writes) > MOST_WRITES:
        raise TooManyWritesError
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as error:
        codes = {reason.get("Code", "None") for reason in error.response["CancellationReasons"]} - {"None"}
        if codes <= LOST_RACE:
            return False
        raise
    except ClientError as error:
        if error.response["Error"]["Code"] == "TransactionConflictException":
            return False
        raise
    return True
