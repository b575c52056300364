"""Writes: what each puts, and what has to be so for it to happen.

A write that states a condition may lose: somebody else was there first. Whether it did is found out here and nowhere
else, for one write (`conditional`) as for several that happen together or not at all (`transact`).

A write whose answer was lost is sent again by the client, and then meets itself. It isn't taken for somebody else's: a
transaction carries the client's token, and one write leaves a mark of its own in the item.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.storage.attributes import Item, number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Attribute = dict[str, Any]
"""A value in the wire form of the low-level client."""

type Write = dict[str, dict[str, Any]]
"""One write, or check, by its kind: "Put", "Update", "Delete" or "ConditionCheck" and its request."""

MOST_WRITES = 100
"""DynamoDB's limit on one transaction."""

CONDITION_FAILED, ANOTHER_TRANSACTION = "ConditionalCheckFailed", "TransactionConflict"

TRANSIENT = frozenset({ANOTHER_TRANSACTION, "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why a transaction may be cancelled that may happen a moment later: another was at its items, or the table is busy."""

LOST, CONFLICT = "ConditionalCheckFailedException", "TransactionConflictException"

PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4)
"""How long a cancelled transaction waits before each further try, at most: anything from none to all of it."""

MARK = "written_by"
"""The attribute by which a write knows itself again."""

MARK_BYTES = 8


class TooManyWritesError(Exception):
    """Somebody asked for more writes than one transaction may hold: a fault in the code, whatever the data."""


# --- what has to be so ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be so for a write to happen: clauses, joined by `&` and `|`, each with a name where it is used."""

    expression: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Attribute] = field(default_factory=dict)

    def __and__(self, other: "Condition") -> "Condition":
        return self._with(other, f"{self.expression} AND {other.expression}")

    def __or__(self, other: "Condition") -> "Condition":
        return self._with(other, f"({self.expression} OR {other.expression})")

    def _with(self, other: "Condition", expression: str) -> "Condition":
        return Condition(expression, {**self.names, **other.names}, {**self.values, **other.values})


def present(attribute: str) -> Condition:
    """The item has an attribute."""
    return Condition(f"attribute_exists(#{attribute})", {f"#{attribute}": attribute})


def absent(attribute: str) -> Condition:
    """The item hasn't an attribute."""
    return Condition(f"attribute_not_exists(#{attribute})", {f"#{attribute}": attribute})


def equals(attribute: str, value: Attribute) -> Condition:
    """An attribute of the item is as it was read."""
    return _compared(attribute, "=", f":{attribute}_read", value)


def below(attribute: str, value: Attribute) -> Condition:
    """An attribute of the item is smaller, or earlier."""
    return _compared(attribute, "<", f":{attribute}_below", value)


def at_most(attribute: str, value: Attribute) -> Condition:
    """An attribute of the item is no larger, or no later."""
    return _compared(attribute, "<=", f":{attribute}_at_most", value)


def _compared(attribute: str, sign: str, name: str, value: Attribute) -> Condition:
    return Condition(f"#{attribute} {sign} {name}", {f"#{attribute}": attribute}, {name: value})


def unchanged(attribute: str, item: Item) -> Condition:
    """An attribute of the item is as it is in the item that was read, which may not have it."""
    return equals(attribute, item[attribute]) if attribute in item else absent(attribute)


NEW = absent("pk")
"""There is no such item yet."""

THERE = present("pk")
"""There is such an item."""


def at_version(version: int) -> Condition:
    """The item is at the version that was read; 0: there was none."""
    return equals("version", number(version)) if version else NEW


# --- the writes -------------------------------------------------------------------------------------------------


def put(table: str, item: Item, condition: Condition | None = None) -> Write:
    """Put an item, whole, in the place of the one with its key."""
    return {"Put": {"TableName": table, "Item": item, **_stated(condition)}}


def update(
    table: str, key: Item, expression: str, values: Mapping[str, Attribute], condition: Condition | None = None
) -> Write:
    """Change attributes of an item, which is made if there is none."""
    return {"Update": {"TableName": table, "Key": key, "UpdateExpression": expression, **_stated(condition, values)}}


def delete(table: str, key: Item, condition: Condition | None = None) -> Write:
    """Delete an item."""
    return {"Delete": {"TableName": table, "Key": key, **_stated(condition)}}


def check(table: str, key: Item, condition: Condition) -> Write:
    """Part of a transaction: let it happen only while something is so of an item that it doesn't write."""
    return {"ConditionCheck": {"TableName": table, "Key": key, **_stated(condition)}}


def showing_what_is_there(write: Write) -> Write:
    """The write, so that it shows the item that lies there when it loses."""
    return {kind: {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} for kind, request in write.items()}


UNCONDITIONAL = Condition("")


def _stated(condition: Condition | None, more_values: Mapping[str, Attribute] | None = None) -> dict[str, Any]:
    """A condition as a request states it, with the request's other values; what is empty is left out."""
    stated = condition or UNCONDITIONAL
    members = {
        "ConditionExpression": stated.expression,
        "ExpressionAttributeNames": dict(stated.names),
        "ExpressionAttributeValues": {**(more_values or {}), **stated.values},
    }
    return {name: value for name, value in members.items() if value}


# --- whether they happened --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """Whether a write happened. there: the item that lies there instead, if it lost and shows that."""

    happened: bool
    there: Item | None = None

    def __bool__(self) -> bool:
        return self.happened


HAPPENED = WriteOutcome(happened=True)


def conditional(client: "DynamoDBClient", write: Write, *, conflict_loses: bool = False) -> WriteOutcome:
    """Write one item, if its condition holds.

    conflict_loses: whether a transaction that is at the item just now counts as somebody who was quicker, because the
    caller reads the item again whatever it was. Raises whatever the client raises for anything else.
    """
    calls = {"Put": client.put_item, "Update": client.update_item, "Delete": client.delete_item}
    mark = {"B": secrets.token_bytes(MARK_BYTES)}
    [(kind, request)] = write.items()
    call: Any = calls[kind]
    try:
        call(**_marked(kind, request, mark))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        there: Any = error.response.get("Item")
        if code == LOST and there and there.get(MARK) == mark:
            return HAPPENED  # at the try before this one, of which the client had no answer
        if code == LOST or (conflict_loses and code == CONFLICT):
            asked = "ReturnValuesOnConditionCheckFailure" in request
            return WriteOutcome(happened=False, there=there if asked else None)
        raise
    return HAPPENED


def _marked(kind: str, request: dict[str, Any], mark: Attribute) -> dict[str, Any]:
    """A request that states a condition, so that it leaves the mark and shows whose is there when it loses.

    One without a condition can't lose, and a deletion leaves nothing to mark.
    """
    if "ConditionExpression" not in request or kind == "Delete":
        return request
    shown = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if kind == "Put":
        return {**shown, "Item": {**request["Item"], MARK: mark}}
    expression = request["UpdateExpression"]
    setting = f"SET #mark = :mark{', ' if expression.startswith('SET ') else ' '}"
    return {
        **shown,
        "UpdateExpression": setting + expression.removeprefix("SET "),
        "ExpressionAttributeNames": {**request.get("ExpressionAttributeNames", {}), "#mark": MARK},
        "ExpressionAttributeValues": {**request.get("ExpressionAttributeValues", {}), ":mark": mark},
    }


def transact(client: "DynamoDBClient", writes: list[Write]) -> bool:
    """Write all or nothing. False: a condition didn't hold, or another transaction kept being at the same items.

    What only a busy table or another transaction cancelled is tried again, after a pause. Raises TooManyWritesError for
    more than MOST_WRITES, and whatever the client raises for anything else.
    """
    if len(writes) > MOST_WRITES:
        raise TooManyWritesError
    for longest_pause in PAUSES_SECONDS:
        error = _failure(client, writes)
        if error is None:
            return True
        reasons = _cancelled_for(error)
        if not reasons or not reasons <= TRANSIENT:
            break
        # Without chance in it, those that were in each other's way would meet again.
        time.sleep(secrets.SystemRandom().uniform(0, longest_pause))
    else:
        error = _failure(client, writes)
    if error is not None and not _lost(error):
        raise error
    return error is None


def _failure(client: "DynamoDBClient", writes: list[Write]) -> ClientError | None:
    together: Any = writes
    try:
        client.transact_write_items(TransactItems=together)
    except ClientError as error:
        return error
    return None


def _lost(error: ClientError) -> bool:
    reasons = _cancelled_for(error)
    return CONDITION_FAILED in reasons or reasons == {ANOTHER_TRANSACTION}


def _cancelled_for(error: ClientError) -> set[str]:
    """Why a transaction was cancelled; empty: it failed otherwise."""
    code = error.response["Error"]["Code"]
    if code == CONFLICT:
        return {ANOTHER_TRANSACTION}
    if code != "TransactionCanceledException":
        return set()
    told: Any = error.response
    return {reason.get("Code", "None") for reason in told["CancellationReasons"]} - {"None"}
