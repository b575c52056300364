"""DynamoDB in memory: the calls and expressions that shared/storage uses, with DynamoDB's own meaning.

The real storage code runs on it, a hundred times faster than on moto. What it doesn't know it refuses with
NotInTheFakeError, so that a new expression can't be understood wrongly in silence.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.worlds import template
from tests.worlds.table_expressions import Item, NotInTheFakeError, condition, update

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the table: its two keys, and the attributes that it holds; an item without its keys isn't in it."""

    partition: str
    sort: str
    attributes: frozenset[str]

    def holds(self, item: Item) -> Item:
        return {name: value for name, value in item.items() if name in self.attributes}


@cache
def indexes() -> dict[str, Index]:
    """The indexes as template.yaml makes them."""
    found = dict[str, Index]()
    for index in template.source()["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]:
        partition, sort = (key["AttributeName"] for key in index["KeySchema"])
        more = index["Projection"].get("NonKeyAttributes", [])
        found[index["IndexName"]] = Index(partition, sort, frozenset({"pk", "sk", partition, sort, *more}))
    return found


PAGE = 1000
PARTITION = re.compile(r"pk = (:\w+)")
MOST_ITEM_BYTES, MOST_WRITES, MOST_TRANSACTION_BYTES = 400 * 1024, 100, 4 * 1024 * 1024
"""What DynamoDB takes: of one item, and in one transaction."""

FAILED = "ConditionalCheckFailedException"
MOST_KEYS, MOST_PUTS = 100, 25
"""How many items one call may read, or write one by one."""


class TransactionCanceledException(ClientError):  # noqa: N818 - botocore's own name
    """A transaction whose conditions didn't hold."""


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    kind = TransactionCanceledException if code == "TransactionCanceledException" else ClientError
    answer: Any = {"Error": {"Code": code, "Message": code}, **more}
    return kind(answer, operation)


class Items(dict[Key, Item]):
    """Items by their two keys; those of one partition are found without a look at all others."""

    def __init__(self) -> None:
        super().__init__()
        self._partitions: defaultdict[str, dict[Key, Item]] = defaultdict(dict)

    def __setitem__(self, key: Key, item: Item) -> None:
        super().__setitem__(key, item)
        self._partitions[key[0]][key] = item

    def __delitem__(self, key: Key) -> None:
        super().__delitem__(key)
        del self._partitions[key[0]][key]

    def partition(self, name: str) -> Iterable[Item]:
        return self._partitions[name].values()


def copied(value: Any) -> Any:
    """Another value that says the same: maps and lists anew, as the wire would make them."""
    if isinstance(value, dict):
        return {name: copied(inside) for name, inside in value.items()}
    return [copied(inside) for inside in value] if isinstance(value, list) else value


@dataclass
class MemoryTable:
    """One table, as its low-level client.

    at: called before each call with its name; it may raise instead of it. effect: calls what changes the table, and
    may lose its answer. wrote: sees each item before and after it is written.
    """

    at: Callable[[str], None] = lambda _operation: None
    effect: Callable[[Callable[[], Any]], Any] = lambda change: change()
    wrote: Callable[[Item | None, Item | None], None] = lambda _before, _after: None
    items: Items = field(default_factory=Items)
    seen_by_due_index: dict[Key, Item] | None = None
    """What the due index holds while it lags behind the table; None: it doesn't."""

    exceptions = SimpleNamespace(TransactionCanceledException=TransactionCanceledException)

    # --- reading -----------------------------------------------------------------------------------------------

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> Item:  # noqa: N803 - the service's own spelling
        self.at("get_item")
        found = self.items.get(_key(Key))
        return {"Item": copied(found)} if found else {}

    def batch_get_item(self, *, RequestItems: Item) -> Item:  # noqa: N803 - the service's own spelling
        self.at("batch_get_item")
        _limit(MOST_KEYS, [key for wanted in RequestItems.values() for key in wanted["Keys"]], "BatchGetItem")
        return {
            "Responses": {
                table: [copied(self.items[_key(key)]) for key in wanted["Keys"] if _key(key) in self.items]
                for table, wanted in RequestItems.items()
            }
        }

    def query(self, **request: Any) -> Item:
        name = request.get("IndexName", "")
        self.at(f"query {name}".strip())
        index = indexes()[name] if name else None
        sort = index.sort if index else "sk"
        names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
        wanted, kept = condition(request["KeyConditionExpression"]), condition(request.get("FilterExpression", ""))
        found = sorted(
            (item for item in self._looked_at(name, request) if sort in item and wanted(item, names, values)),
            key=lambda item: (item[sort]["S"], *_key(item)),
            reverse=not request.get("ScanIndexForward", True),
        )
        if start := request.get("ExclusiveStartKey"):
            forward = request.get("ScanIndexForward", True)
            begin = start[sort]["S"], *_key(start)  # a place in the order, whatever has become of the item since
            places = ((item, (item[sort]["S"], *_key(item))) for item in found)
            found = [item for item, place in places if (place > begin if forward else place < begin)]
        limit = request.get("Limit", PAGE)
        page = [item for item in found[:limit] if kept(item, names, values)]
        answer: Item = {"Items": copied([index.holds(item) for item in page] if index else page)}
        if len(found) > limit:
            keys = {"pk", "sk", index.partition, index.sort} if index else {"pk", "sk"}
            answer["LastEvaluatedKey"] = {name: found[limit - 1][name] for name in keys}
        return answer

    def _looked_at(self, index: str, request: Item) -> Iterable[Item]:
        """The items among which a query finds its own."""
        if index == "due" and self.seen_by_due_index is not None:
            return self.seen_by_due_index.values()
        if named := not index and PARTITION.match(request["KeyConditionExpression"]):
            return self.items.partition(request["ExpressionAttributeValues"][named[1]]["S"])
        return self.items.values()

    def get_paginator(self, operation: str) -> Any:
        if operation != "query":
            raise NotInTheFakeError(operation)
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, PaginationConfig: Item | None = None, **request: Any) -> Iterator[Item]:  # noqa: N803 - the service's own spelling
        if PaginationConfig:
            request["Limit"] = PaginationConfig["PageSize"]
        while True:
            page = self.query(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    # --- writing -----------------------------------------------------------------------------------------------

    def put_item(self, **request: Any) -> Item:
        return self._write("put_item", {"Put": request})

    def update_item(self, **request: Any) -> Item:
        return self._write("update_item", {"Update": request})

    def delete_item(self, **request: Any) -> Item:
        return self._write("delete_item", {"Delete": request})

    def batch_write_item(self, *, RequestItems: Item) -> Item:  # noqa: N803 - the service's own spelling
        self.at("batch_write_item")
        writes = [write for requests in RequestItems.values() for write in requests]
        _limit(MOST_PUTS, writes, "BatchWriteItem")

        def change() -> Item:
            for write in writes:
                [(kind, request)] = write.items()
                self._apply(kind.removesuffix("Request"), request)
            return {}

        answer: Item = self.effect(change)
        return answer

    def _write(self, operation: str, write: Item) -> Item:
        self.at(operation)
        [(kind, request)] = write.items()

        def change() -> Item:
            if not self._allowed(request):
                found = self.items.get(_key(request.get("Item") or request["Key"]))
                shown = found and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                raise refusal(FAILED, operation, **({"Item": copied(found)} if shown else {}))
            after = self._apply(kind, request)
            return {"Attributes": copied(after)} if request.get("ReturnValues") else {}

        answer: Item = self.effect(change)
        return answer

    def transact_write_items(self, *, TransactItems: list[Item]) -> Item:  # noqa: N803 - the service's own spelling
        self.at("transact_write_items")
        _limit(MOST_WRITES, TransactItems, "TransactWriteItems")
        writes = [next(iter(write.items())) for write in TransactItems]
        touched = [_key(request.get("Item") or request["Key"]) for _, request in writes]
        size = sum(size_of(request["Item"]) for kind, request in writes if kind == "Put")
        size += sum(size_of(self.items.get(_key(request["Key"]), {})) for kind, request in writes if kind == "Delete")
        if size > MOST_TRANSACTION_BYTES:
            raise refusal("ValidationException", "TransactWriteItems")
        if len(set(touched)) < len(touched):
            raise NotInTheFakeError("one item twice in a transaction")
        sent: list[None] = []

        def change() -> Item:
            # The client sends one token with all its attempts, so that what was done isn't done, or refused, again.
            if sent:
                return {}
            allowed = [self._allowed(request) for _, request in writes]
            if not all(allowed):
                reasons = [{"Code": "None" if holds else "ConditionalCheckFailed"} for holds in allowed]
                raise refusal("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
            for kind, request in writes:
                self._apply(kind, request)
            sent.append(None)
            return {}

        answer: Item = self.effect(change)
        return answer

    def _allowed(self, request: Item) -> bool:
        current = self.items.get(_key(request.get("Item") or request["Key"]), {})
        holds = condition(request.get("ConditionExpression", ""))
        return bool(
            holds(current, request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))
        )

    def _apply(self, kind: str, request: Item) -> Item:
        key = _key(request.get("Item") or request["Key"])
        before = self.items.get(key)
        if kind == "ConditionCheck":
            return {}
        if kind == "Delete":
            if before is not None:
                del self.items[key]
            self.wrote(before, None)
            return {}
        if kind == "Put":
            after: Item = copied(request["Item"])
            if size_of(after) > MOST_ITEM_BYTES:
                raise refusal("ValidationException", "PutItem")
        else:
            after = copied(before or request["Key"])
            names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
            for attribute, value in update(request["UpdateExpression"])(before or {}, names, values).items():
                after |= {attribute: value}
                if value is None:
                    del after[attribute]
        self.items[key] = after
        self.wrote(before, after)
        return after


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def size_of(item: Item) -> int:
    """An item's size in bytes, as DynamoDB counts what the product stores."""
    return sum(len(name) + _value_size(*attribute.items()) for name, attribute in item.items())


def _value_size(attribute: tuple[str, Any]) -> int:
    kind, value = attribute
    if kind in {"S", "B", "N"}:
        return len(value if isinstance(value, bytes) else value.encode())
    if kind == "SS":
        return sum(len(one.encode()) for one in value)
    return 3 + (size_of(value) if kind == "M" else 1)


def _limit(most: int, asked: Sized, operation: str) -> None:
    if len(asked) > most:
        raise refusal("ValidationException", operation)
