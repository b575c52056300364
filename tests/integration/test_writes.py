"""Writes that may lose: what each condition asks for, and how a loser learns of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from shared.storage import items
from shared.storage.items import Item, number, text
from shared.storage.writes import (
    MARK,
    NEW,
    PAUSES_SECONDS,
    THERE,
    Condition,
    TooManyWritesError,
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
from tests.worlds.bounds import some

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.moto

KEY = items.key("A#1")
STORED = {**KEY, "version": number(2), "status": text("Due")}
OTHER = {**items.key("A#2"), "status": text("New")}

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
    """The item as it lies there, less the mark of the write that put it there."""
    item = dynamodb.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True).get("Item")
    return item and {name: value for name, value in item.items() if name != MARK}


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
    assert not transact(table, [put(TABLE, OTHER, NEW), check(TABLE, KEY, at_version(1))])
    assert transact(table, [put(TABLE, OTHER, NEW), check(TABLE, KEY, at_version(2))])
    assert not transact(table, [put(TABLE, OTHER, NEW)])


def test_more_than_a_transaction_holds_is_a_fault_in_the_code_and_nothing_is_written(table: "DynamoDBClient") -> None:
    with pytest.raises(TooManyWritesError):
        transact(table, [put(TABLE, {**items.key(f"A#{n}"), "status": text("New")}, NEW) for n in range(101)])
    assert table.scan(TableName=TABLE)["Count"] == 1


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


# --- what passes by itself ----------------------------------------------------------------------------------------


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


class BusyTable:
    """A table that cancels the first transactions that it is asked for, and then does as it is told."""

    def __init__(self, table: "DynamoDBClient", *errors: ClientError) -> None:
        self.table, self.errors, self.asked = table, list(errors), 0

    def transact_write_items(self, **request: Any) -> Any:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.table.transact_write_items(**request)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waited = list[float]()
    monkeypatch.setattr("shared.storage.writes.time.sleep", waited.append)
    return waited


PASSING_REASONS = {
    "the table is busy": ("ThrottlingError", "None"),
    "its capacity is used up": ("None", "ProvisionedThroughputExceeded"),
    "another transaction is there": ("TransactionConflict", "None"),
    "two of them": ("ThrottlingError", "TransactionConflict"),
}


@pytest.mark.parametrize("reasons", PASSING_REASONS.values(), ids=PASSING_REASONS)
def test_what_a_busy_table_cancels_is_tried_again_after_a_pause(
    table: "DynamoDBClient", pauses: list[float], reasons: tuple[str, ...]
) -> None:
    client: Any = BusyTable(table, cancelled(*reasons), cancelled(*reasons))
    assert transact(client, [put(TABLE, {**KEY, "status": text("Changed")}, at_version(2)), put(TABLE, OTHER, NEW)])
    assert found(table) == {**KEY, "status": text("Changed")}
    assert len(pauses) == 2
    assert all(0 <= waited <= longest for waited, longest in zip(some(pauses), PAUSES_SECONDS, strict=False))


def test_a_lost_race_is_not_tried_again_whatever_else_was_busy(table: "DynamoDBClient", pauses: list[float]) -> None:
    client: Any = BusyTable(table, cancelled("ConditionalCheckFailed", "ThrottlingError"))
    assert not transact(client, [put(TABLE, KEY, at_version(1)), put(TABLE, OTHER, NEW)])
    assert (client.asked, pauses) == (1, [])


def test_what_stays_busy_is_an_error_and_what_stays_in_conflict_a_lost_race(
    table: "DynamoDBClient", pauses: list[float]
) -> None:
    """Only the second is decided anew: another writer was there."""
    tries = len(PAUSES_SECONDS) + 1
    throttled: Any = BusyTable(table, *[cancelled("ThrottlingError")] * tries)
    with pytest.raises(ClientError):
        transact(throttled, [put(TABLE, OTHER, NEW)])
    met: Any = BusyTable(table, *[cancelled("TransactionConflict")] * tries)
    assert not transact(met, [put(TABLE, OTHER, NEW)])
    assert [throttled.asked, met.asked] == [tries, tries]


@pytest.mark.parametrize("reason", ["ValidationError", "ItemCollectionSizeLimitExceeded", "AccessDenied"])
def test_what_no_pause_mends_is_an_error_at_once(table: "DynamoDBClient", pauses: list[float], reason: str) -> None:
    client: Any = BusyTable(table, cancelled(reason, "ThrottlingError"))
    with pytest.raises(ClientError):
        transact(client, [put(TABLE, OTHER, NEW)])
    assert (client.asked, pauses) == (1, [])


# --- a write whose answer was lost --------------------------------------------------------------------------------


class Repeating:
    """A client that loses the first answer to each write, and so sends the same request once more, as botocore does."""

    def __init__(self, table: "DynamoDBClient", meanwhile: Callable[[], object] = lambda: None) -> None:
        self.table, self.meanwhile = table, meanwhile

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            getattr(self.table, operation)(**request)
            self.meanwhile()
            return getattr(self.table, operation)(**request)

        return call


CLOSED_BY_ITSELF: dict[str, Write] = {
    "a put of what is new": put(TABLE, OTHER, NEW),
    "a put over a version": put(TABLE, {**KEY, "version": number(3)}, at_version(2)),
    "an update that sets": update(TABLE, KEY, "SET version = :next", {":next": number(3)}, at_version(2)),
    "an update that sets and removes": update(
        TABLE, KEY, "SET version = :next REMOVE lease", {":next": number(3)}, at_version(2)
    ),
    "an update that removes": update(TABLE, KEY, "REMOVE version", {}, at_version(2)),
}
"""Writes whose own condition doesn't hold any more once they have happened."""


@pytest.mark.parametrize("write", CLOSED_BY_ITSELF.values(), ids=CLOSED_BY_ITSELF)
def test_a_write_that_meets_itself_has_happened(table: "DynamoDBClient", write: Write) -> None:
    client: Any = Repeating(table)
    assert conditional(client, write)


@pytest.mark.parametrize("write", CLOSED_BY_ITSELF.values(), ids=CLOSED_BY_ITSELF)
def test_the_same_write_by_somebody_else_is_lost(table: "DynamoDBClient", write: Write) -> None:
    """Though it is equal to the last byte: two who take the same thing at the same instant haven't both got it."""
    assert conditional(table, write)
    client: Any = Repeating(table)
    assert not conditional(client, write)


def test_the_client_sends_a_transaction_again_under_the_same_token(table: "DynamoDBClient") -> None:
    """By it DynamoDB knows for ten minutes that it is the same one, and answers as it did."""
    sent = list[bytes]()
    table.meta.events.register(
        "before-send.dynamodb.TransactWriteItems", lambda request, **_: sent.append(request.body)
    )
    assert transact(table, [put(TABLE, OTHER, NEW)])
    assert all(b"ClientRequestToken" in body for body in some(sent))
    assert sent
