"""How many write units the writes to a table in memory cost, as DynamoDB counts them.

An item costs a unit for each KB that it has before or after the write, whichever is more; twice that in a
transaction. An index costs for itself, and never double, by the size of what it holds of the item: once where an item
comes into it, leaves it, or changes in what the index holds of it; twice where its key in the index changes, for it is
deleted there and put anew; nothing where all that the index holds stays as it was.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.worlds.memory_table import Index, MemoryTable, indexes, size_of
from tests.worlds.table_expressions import Item

KB = 1024
TRANSACTION = "transact_write_items"


@dataclass
class WriteUnits:
    """The units of a table's writes by kind of item and where they fell, "B# base" or "B# statement"; and all calls."""

    table: MemoryTable
    by_item: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    _operation: str = ""

    def of(self, *kinds: str) -> int:
        """The units of items of these kinds; none named: of all."""
        return sum(units for item, units in self.by_item.items() if not kinds or item.split()[0] in kinds)

    def at(self, operation: str) -> None:
        self.calls[operation] += 1
        self._operation = operation

    def wrote(self, before: Item | None, after: Item | None) -> None:
        written = after or before
        if written is None:
            return  # a delete of nothing still costs one, and the product makes none that it pays for
        kind = _kind(written)
        times = 2 if self._operation == TRANSACTION else 1
        self.by_item[f"{kind} base"] += times * _units(before, after)
        for name, index in indexes().items():
            units = _index_units(_held(index, before), _held(index, after), index)
            if units:
                self.by_item[f"{kind} {name}"] += units


@contextmanager
def write_units(table: MemoryTable) -> Iterator[WriteUnits]:
    """Count the units of what is written meanwhile."""
    counted = WriteUnits(table)
    before = table.at, table.wrote
    table.at, table.wrote = counted.at, counted.wrote
    try:
        yield counted
    finally:
        table.at, table.wrote = before


def _kind(item: Item) -> str:
    """What an item is, by its keys: "A#@" an account, "B#" a bill of it; a notice by its channel too: "N#email"."""
    partition, sort = item["pk"]["S"], item["sk"]["S"]
    if not partition.startswith("A#") or sort == "@":
        return f"{partition[:2]}@"
    return f"N#{item['channel']['S']}" if sort.startswith("N#") else str(sort[:2])


def _held(index: Index, item: Item | None) -> Item | None:
    """What an index holds of an item; None: the item isn't in it."""
    return index.holds(item) if item and index.partition in item and index.sort in item else None


def _units(before: Item | None, after: Item | None) -> int:
    return max(-(-size_of(item) // KB) for item in (before, after) if item)


def _index_units(before: Item | None, after: Item | None, index: Index) -> int:
    if before == after:
        return 0
    moved = before and after and any(before[key] != after[key] for key in (index.partition, index.sort))
    return _units(before, None) + _units(None, after) if moved else _units(before, after)
