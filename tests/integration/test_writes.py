"""Writes that may lose: what each condition asks for, and how a loser learns of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from shared.storage import items
from shared.storage.items import Item, number, text
from shared.storage.writes import (
    NEW,
    THERE,
    Condition,
    Write,
    absent,
    at_most,
    at_version,
    below,
    check,
    conditional,
    delete,
    equals,
    present,
    put,
    showing_what_is_there,
    transact,
    update,
)
from tests.worlds.aws import TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = items.key("A#1")
STORED = {**KEY, "version": number(2), "status": text("Due")}

HOLDING: dict[str, Condition] = {
    "it is there": THERE,
    "it has an attribute": present("status"),
    "it hasn't one": absent("lease"),
    "one is as it was read": equals("status", text("Due")),
    "it is at its version": at_version(2),
    "one is smaller": below("version", number(3)),
    "one is no larger": at_most("version", number(2)),
    "both": THERE & at_version(2),
    "either": NEW | at_version(2),
    "both, of which one is either": (NEW | at_version(2)) & equals("status", text("Due")),
    "either, of which one is both": at_version(9) | THERE & equals("status", text("Due")),
}
LOSING: dict[str, Condition] = {
    "it is new": NEW,
    "it has an attribute": present("lease"),
    "it hasn't one": absent("status"),
    "one is as it was read": equals("status", text("Paid")),
    "there was none": at_version(0),
    "it is at another version": at_version(1),
    "one is smaller": below("version", number(2)),
    "one is no larger": at_most("version", number(1)),
    "both": THERE & at_version(1),
    "either": NEW | at_version(1),
    "both, of which one is either": (THERE | at_version(2)) & equals("status", text("Paid")),
    "either, of which one is both": at_version(9) | THERE & equals("status", text("Paid")),
}

type MakeWrite = Callable[[Condition], Write]
WRITES: dict[str, MakeWrite] = {
    "put": lambda condition: put(TABLE, {**KEY, "status": text("Changed")}, condition),
    "update": lambda condition: update(
        TABLE, KEY, "SET #status = :changed, note = :note", {":changed": text("Changed"), ":note": text("n")}, condition
    ),
    "delete": lambda condition: delete(TABLE, KEY, condition),
}


def found(dynamodb: "DynamoDBClient") -> Item | None:
    return dynamodb.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True).get("Item")


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> "DynamoDBClient":
    dynamodb.put_item(TableName=TABLE, Item=STORED)
    return dynamodb


@pytest.mark.parametrize("condition", HOLDING.values(), ids=HOLDING)
def test_a_write_whose_condition_holds_happens(table: "DynamoDBClient", condition: Condition) -> None:
    assert conditional(table, put(TABLE, KEY, condition)).happened
    assert found(table) == KEY


@pytest.mark.parametrize("condition", LOSING.values(), ids=LOSING)
def test_a_write_whose_condition_does_not_hold_is_lost(table: "DynamoDBClient", condition: Condition) -> None:
    assert not conditional(table, put(TABLE, KEY, condition)).happened
    assert found(table) == STORED


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_kind_of_write_may_lose_and_tells_what_is_there(table: "DynamoDBClient", write: MakeWrite) -> None:
    """Only to those who ask for it: the item may be large."""
    lost = write(equals("status", text("Paid")))
    assert conditional(table, lost).there is None
    outcome = conditional(table, showing_what_is_there(lost))
    assert (bool(outcome), outcome.there) == (False, STORED)
    assert conditional(table, write(equals("status", text("Due"))))
    assert found(table) != STORED


def test_of_several_writes_all_happen_or_none(table: "DynamoDBClient") -> None:
    other = {**items.key("A#2"), "status": text("New")}
    assert not transact(table, [put(TABLE, other, NEW), check(TABLE, KEY, at_version(1))])
    assert transact(table, [put(TABLE, other, NEW), check(TABLE, KEY, at_version(2))])
    assert not transact(table, [put(TABLE, other, NEW)])


class Failing:
    """A client whose every write fails with one error."""

    def __init__(self, code: str) -> None:
        self.error = ClientError({"Error": {"Code": code, "Message": code}}, "PutItem")

    def put_item(self, **_: Any) -> None:
        raise self.error

    update_item = delete_item = transact_write_items = put_item

    class exceptions:  # noqa: N801 - the client's own spelling
        """The one class of errors that storage catches by the client's name for it."""

        class TransactionCanceledException(ClientError):  # noqa: N818 - the same
            """A cancelled transaction."""


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_transaction_at_the_item_is_somebody_quicker_only_to_those_who_read_it_again(write: MakeWrite) -> None:
    """To anybody else it is an error: what they take for done wouldn't be."""
    met: Any = Failing("TransactionConflictException")
    assert not conditional(met, write(THERE), conflict_loses=True)
    with pytest.raises(ClientError):
        conditional(met, write(THERE))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_fails_for_another_reason_is_not_lost(write: MakeWrite) -> None:
    down: Any = Failing("ProvisionedThroughputExceededException")
    with pytest.raises(ClientError):
        conditional(down, write(THERE), conflict_loses=True)
    with pytest.raises(ClientError):
        transact(down, [write(THERE)])
