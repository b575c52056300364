"""Nobody is stopped by another: what fails is set aside, whatever it is, and a sweep reaches what is behind it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.contracts.messages import ClosePrintBatch
from shared.domain.account.setting_aside import FIRST_PAUSE, WARNED_OF_AT
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import NoticeStatus
from shared.messaging.channel_queues import ChannelQueues
from shared.storage import due_index, items, keys
from shared.storage.due_index import DueRow
from shared.storage.items import Item, number, text
from shared.storage.set_asides import SET_ASIDE_ATTRIBUTES
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, notice
from tests.worlds.scheduler_stack import Stack, scheduler_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FAILING = 7
PAGE = 3
"""Rows of the due index that a sweep sees at once, in these tests: fewer than fail."""

LONG_DUE = NOW - timedelta(days=1)
GARBAGE = {"B": b"not a body"}
SOUND = items.account_item(account(planning_at=LONG_DUE))
SHARD = keys.due_shard(keys.collection("org_1", "G-1"))


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A practice whose account G-1 is due."""
    monkeypatch.setattr(due_index, "DUE_PAGE", PAGE)
    return scheduler_stack(dynamodb)


class NoBatchIsClosed(ChannelQueues):
    """The print queue takes no message that asks to close a batch."""

    def close_print_batch(self, message: ClosePrintBatch) -> None:
        raise ConnectionError("ada@example.com")


@dataclass(frozen=True)
class Poison:
    """A kind of item that is due and fails. body: what it says beside its keys; reason: as what it is shown."""

    pk: str
    sk: str = keys.ROOT
    body: Any = None
    reason: str = ""

    def store(self, stack: Stack, n: int, due_at: datetime = LONG_DUE) -> tuple[str, str]:
        """Store the n-th of its kind, due before all others and in their shard."""
        pk, sk = self.pk.format(n), self.sk.format(n)
        keyed = {"pk": text(pk), "sk": text(sk), "due_shard": text(SHARD), "due_at": text(keys.instant(due_at))}
        stack.dynamodb.put_item(TableName=TABLE, Item=(self.body or {}) | keyed)
        return pk, sk


def finished(n: str = "1") -> Item:
    """A row that is in the due index although its own status says that nothing has to happen to it."""
    return items.notice_item(notice(account_id="G-8", notice_id=f"ntc_{n}", status=NoticeStatus.SENT))


POISONS = {
    "an account that can't be read": Poison(
        "A#org_1#X-{}", body={"version": number(1), "body": GARBAGE}, reason="error"
    ),
    "an account without its version": Poison("A#org_1#X-{}", body={"body": SOUND["body"]}, reason="KeyError"),
    "an account whose organization can't be read": Poison("A#org_bad#X-{}", reason="error"),
    "a notice that can't be read": Poison("A#org_1#G-8", "N#ntc_{}", {"body": GARBAGE}, "error"),
    "a notice that only the index holds for due": Poison("A#org_1#G-8", "N#ntc_{}", finished(), "NothingDoesIt"),
    "a page of a large change that can't be written out": Poison(
        "A#org_1#G-8", "W#000000000{}#000", {"body": GARBAGE}, "KeyError"
    ),
    "a replanning that can't be read": Poison("J#org_{}", reason="KeyError"),
    "a passing on of defaults that can't be read": Poison("D#prt_{}", keys.JOB_SORT, reason="KeyError"),
    "a print batch that no queue takes": Poison("B#org_{}", reason="ConnectionError"),
    "a key without its account": Poison("A#org_{}", reason="UnknownKeyError"),
    "a key of another kind": Poison("A#org_1#G-8", "P#pay_{}", {"body": GARBAGE}, "UnknownKeyError"),
}


@pytest.fixture(params=POISONS)
def poison(request: pytest.FixtureRequest, stack: Stack) -> Poison:
    found = POISONS[request.param]
    if "org_bad" in found.pk:
        unreadable = items.key(keys.organization("org_bad")) | {"body": GARBAGE, "version": number(1)}
        stack.dynamodb.put_item(TableName=TABLE, Item=unreadable)
        sound = items.account_item(account(org_id="org_bad", planning_at=LONG_DUE))
        return Poison(found.pk, found.sk, sound, found.reason)
    return found


def stored(stack: Stack, pk: str, sk: str) -> Item:
    return stack.dynamodb.get_item(TableName=TABLE, Key=items.key(pk, sk))["Item"]


def swept(stack: Stack, now: datetime = NOW) -> Any:
    return stack.sweep(now, queues=NoBatchIsClosed(stack.sqs, stack.urls))


def counted(capsys: pytest.CaptureFixture[str]) -> list[str]:
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    names = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in told]
    return [name for name in names if name != "OldestDue"]  # which every sweep that finds something measures


def test_whatever_fails_before_it_and_however_much_a_sweep_reaches_what_is_healthy(
    stack: Stack, poison: Poison
) -> None:
    failing = [poison.store(stack, n) for n in range(FAILING)]
    report = swept(stack)
    assert report.collected == 1
    assert stack.book().notices
    assert report.failed == 0
    for pk, sk in failing:
        item = stored(stack, pk, sk)
        assert item["failures"] == number(1)
        assert keys.instant(NOW + FIRST_PAUSE) <= item["due_at"]["S"] < keys.instant(NOW + 1.25 * FIRST_PAUSE)
        assert item["due_shard"] == text(SHARD)


def test_what_is_set_aside_is_listed_by_its_ids_and_the_errors_type_and_waits_longer_each_time(
    stack: Stack, poison: Poison
) -> None:
    pk, sk = poison.store(stack, 1)
    swept(stack)
    again = NOW + 2 * FIRST_PAUSE
    swept(stack, again)
    [listed] = stack.ports.set_asides.all()
    assert (listed.pk, listed.sk, listed.failures, listed.since) == (pk, sk, 2, NOW)
    assert again + 2 * FIRST_PAUSE <= listed.next_try_at < again + 2.5 * FIRST_PAUSE
    assert listed.reason.lower().endswith(poison.reason.lower())
    assert "ada@example.com" not in str(stored(stack, pk, sk))


def test_operators_are_warned_once_of_something_that_goes_on_failing(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    POISONS["an account that can't be read"].store(stack, 1)
    warned = []
    for day in range(WARNED_OF_AT + 3):
        swept(stack, NOW + timedelta(days=day))
        warned.append("DueItemFailing" in counted(capsys))
    assert warned == [failure == WARNED_OF_AT for failure in range(1, WARNED_OF_AT + 4)]


def test_what_works_again_is_set_aside_no_more_and_leaves_the_list(stack: Stack) -> None:
    sound = items.account_item(account(account_id="X-1", version=1, planning_at=LONG_DUE))
    pk, sk = Poison("A#org_1#X-1", body=sound | {"body": GARBAGE}).store(stack, 1)
    swept(stack)
    assert len(stack.ports.set_asides.all()) == 1
    stack.dynamodb.put_item(TableName=TABLE, Item=stored(stack, pk, sk) | {"body": sound["body"]})
    swept(stack, NOW + 2 * FIRST_PAUSE)
    assert not set(SET_ASIDE_ATTRIBUTES) & set(stored(stack, pk, sk))
    assert stack.ports.set_asides.all() == []


def test_a_job_that_works_again_goes_on_and_has_no_failures_any_more(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.scheduler.replanning.BILLS_A_PAGE", 1)
    for n in range(2):
        stack.books.commit(Change(account=account(account_id=f"M-{n}"), bills=(bill(f"S-{n}"),)))
    failed_before = {"version": number(2), "failures": number(4), "set_aside_since": text(keys.instant(LONG_DUE))}
    Poison("J#org_1", body=failed_before).store(stack, 1)
    stack.ports.replanning.advance("org_1", NOW)
    assert not set(SET_ASIDE_ATTRIBUTES) & set(stored(stack, "J#org_1", keys.ROOT))


def test_a_row_that_another_run_moved_meanwhile_is_not_set_aside(stack: Stack) -> None:
    pk = keys.collection("org_1", "G-1")
    before = stored(stack, pk, keys.ROOT)
    stale = DueRow(pk, keys.ROOT, keys.instant(LONG_DUE), due_index.DueAccount("org_1", "G-1"))
    assert stack.ports.set_asides.set_aside(stale, "KeyError", NOW) is None
    assert stored(stack, pk, keys.ROOT) == before
    assert stack.ports.set_asides.all() == []


def test_an_instant_in_the_index_that_is_none_hides_nothing(stack: Stack) -> None:
    for due_at in ("", "yesterday", "9999-99-99"):
        poisoned = {"pk": text(f"A#org_1#Y-{due_at}"), "sk": text(keys.ROOT), "due_shard": text(SHARD)}
        stack.dynamodb.put_item(TableName=TABLE, Item=poisoned | {"due_at": text(due_at or "0")})
    report = swept(stack)
    assert report.collected == 1
    assert report.failed == 0
    assert report.next_due_at > NOW


def test_what_cannot_even_be_set_aside_is_passed_by(stack: Stack) -> None:
    class NothingIsSetAside:
        def set_aside(self, *_: Any) -> None:
            raise PermissionError

    for n in range(FAILING):
        POISONS["an account that can't be read"].store(stack, n)
    report = stack.sweep(set_asides=NothingIsSetAside())
    assert (report.collected, report.failed, report.next_due_at) == (1, FAILING, NOW)
