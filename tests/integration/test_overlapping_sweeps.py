"""Runs of the scheduler that overlap: each shard is worked on by one at a time, so that nothing is done twice."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from functions.scheduler.sweep import SweepReport
from shared.domain.records.book import AccountBook, Change
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.shard_leases import SHARD_LEASE, ShardLeases
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill
from tests.worlds.scheduler_stack import Stack, scheduler_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNTS = 24
MANY = 120
"""So many that a run's looks at the shards, which others hold, are few beside its work."""

SHARD = keys.due_shard(keys.collection("org_1", "G-1"))


@pytest.fixture
def stack(dynamodb: "DynamoDBClient") -> Stack:
    return scheduler_stack(dynamodb)


def make_due(stack: Stack, count: int, round_: str) -> None:
    for n in range(count):
        who = account(account_id=f"{round_}-{n}", planning_at=NOW)
        stack.books.commit(Change(account=who, bills=(bill(f"S-{round_}-{n}"),)))


def calls_of(stack: Stack, run: Callable[[], Any]) -> int:
    """How many calls to the table something costs."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls.update([model.name])

    events = stack.dynamodb.meta.events
    events.register("before-call.dynamodb", count)
    run()
    events.unregister("before-call.dynamodb", count)
    return calls.total()


def test_three_overlapping_runs_make_hardly_more_calls_than_one(stack: Stack) -> None:
    stack.sweep()
    make_due(stack, MANY, "A")
    alone = calls_of(stack, stack.sweep)
    make_due(stack, MANY, "B")
    reports: list[SweepReport] = []

    def three() -> None:
        together = Barrier(3)

        def run(_: int) -> SweepReport:
            together.wait()
            return stack.sweep()

        with ThreadPoolExecutor(3) as pool:
            reports.extend(pool.map(run, range(3)))

    calls = calls_of(stack, three)
    assert sum(report.collected for report in reports) == MANY
    assert all(stack.book(f"B-{n}").notices for n in range(MANY))
    assert calls <= 1.2 * alone


def test_a_shard_that_another_run_holds_is_left_to_it_and_the_sweep_says_that_it_is_not_complete(stack: Stack) -> None:
    ShardLeases(stack.dynamodb, TABLE).take(SHARD, "another", NOW)
    report = stack.sweep()
    assert (report.collected, report.failed, report.next_due_at) == (0, 0, NOW)
    ShardLeases(stack.dynamodb, TABLE).give_back(SHARD, "another")
    assert stack.sweep().collected == 1


def test_while_a_run_works_on_one_shard_another_works_on_the_rest(stack: Stack) -> None:
    make_due(stack, ACCOUNTS, "A")
    ShardLeases(stack.dynamodb, TABLE).take(SHARD, "another", NOW)
    stack.sweep()
    for n in range(ACCOUNTS):
        elsewhere = keys.due_shard(keys.collection("org_1", f"A-{n}")) != SHARD
        assert bool(stack.book(f"A-{n}").notices) is elsewhere


def test_the_lease_of_a_run_that_died_ends(stack: Stack) -> None:
    class DeadError(BaseException):
        pass

    class Dead(AccountBooks):
        def load(self, org_id: str, account_id: str) -> AccountBook | None:
            raise DeadError

    with pytest.raises(DeadError):
        stack.sweep(books=Dead(stack.dynamodb, TABLE))
    assert stack.sweep(NOW + SHARD_LEASE - timedelta(seconds=1)).collected == 0
    assert stack.sweep(NOW + SHARD_LEASE + timedelta(seconds=1)).collected == 1


def test_a_run_that_lost_its_lease_stops_at_the_next_page_and_takes_it_from_nobody(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.due_index.DUE_PAGE", 1)
    same_shard = [f"A-{n}" for n in range(40) if keys.due_shard(keys.collection("org_1", f"A-{n}")) == SHARD][:3]
    for account_id in same_shard:
        stack.books.commit(
            Change(account=account(account_id=account_id, planning_at=NOW), bills=(bill(f"S-{account_id}"),))
        )
    late = NOW + SHARD_LEASE + timedelta(seconds=1)

    class Slow(AccountBooks):
        def load(self, org_id: str, account_id: str) -> AccountBook | None:
            ShardLeases(stack.dynamodb, TABLE).take(SHARD, "another", late)
            return super().load(org_id, account_id)

    report = stack.sweep(books=Slow(stack.dynamodb, TABLE), clock=lambda: NOW)
    assert (report.collected, report.next_due_at) == (1, NOW)
    assert not ShardLeases(stack.dynamodb, TABLE).take(SHARD, "a third", late)


def test_a_long_run_renews_its_lease(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.due_index.DUE_PAGE", 1)
    make_due(stack, 12, "A")
    times = iter(NOW + n * SHARD_LEASE / 2 for n in range(1_000))
    taken: list[bool] = []

    class Slow(AccountBooks):
        def load(self, org_id: str, account_id: str) -> AccountBook | None:
            shard = keys.due_shard(keys.collection(org_id, account_id))
            taken.append(ShardLeases(stack.dynamodb, TABLE).take(shard, "another", now[-1]))
            return super().load(org_id, account_id)

    now: list[datetime] = [NOW]

    def clock() -> datetime:
        now.append(next(times))
        return now[-1]

    assert stack.sweep(books=Slow(stack.dynamodb, TABLE), clock=clock).collected == 13
    assert not any(taken)
