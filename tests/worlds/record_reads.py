"""How much work a rule is, told without a clock: how often it reads a field of a bill, a notice or an entry of one."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.records.bill import Bill
from shared.domain.records.notice import BillLevel, Notice

COUNTED: tuple[type[Any], ...] = (Bill, Notice, BillLevel)


def reads_of(work: Callable[[], object]) -> int:
    """Do some work, and answer how many fields of bills, notices and their entries it read."""
    reads = 0

    def counting(record: object, name: str) -> object:
        nonlocal reads
        reads += 1
        return object.__getattribute__(record, name)

    with pytest.MonkeyPatch.context() as patch:
        for kind in COUNTED:
            patch.setattr(kind, "__getattribute__", counting)
        work()
    return reads


def growth(world: Callable[[int], Callable[[], object]], bills: int = 100) -> float:
    """How many times as much work is twice as many bills. `world` makes the work for a number of bills."""
    once, twice = world(bills), world(2 * bills)
    return reads_of(twice) / reads_of(once)
