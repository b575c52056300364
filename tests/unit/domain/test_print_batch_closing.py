"""Closing print batches, whatever happens between any two calls: each letter sent is in exactly one manifest."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from functions.render_print.print_batch import BatchCloser
from shared.domain.delivery.claim_records import BatchedLetter, OpenPrintBatch
from shared.domain.delivery.orders import LONGEST_SENDING_LEASE
from shared.domain.records.notice import StoredLetter
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.items import notice_item
from shared.storage.organizations import Organizations
from shared.storage.print_batches import PrintBatches, letter_item, opening
from tests.worlds.delivery_actors import Fate
from tests.worlds.delivery_functions import prepare
from tests.worlds.dunning_world import at
from tests.worlds.examples import NOW, notice
from tests.worlds.ledger import ORG, TABLE
from tests.worlds.memory_table import MemoryTable
from tests.worlds.print_shop import PrintShop
from tests.worlds.properties import tried

MORNING = at("2026-03-06 09:00")
"""A Friday; in the night to Monday the clock goes forward in the United States."""

ZONES = ("America/New_York", "Pacific/Honolulu", "Pacific/Kiritimati", "Europe/Berlin")
FATES = st.sampled_from([*[Fate.DONE] * 4, *Fate, Fate.DEATH])
WAYS = st.one_of(st.just((None, Fate.DONE)), st.tuples(st.integers(0, 14), FATES))
TIMES = st.one_of(
    st.integers(1, 90).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(1, 30).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([timedelta(minutes=15), timedelta(days=3)]),
)


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)


class Closing(RuleBasedStateMachine):
    """Letters are ordered, sent and closed by functions that are held, overtaken, killed and robbed of answers."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = PrintShop(MORNING)

    @rule(count=st.integers(1, 3))
    def letters_are_ordered(self, count: int) -> None:
        if self.shop.letters < 8:
            for _ in range(count):
                self.shop.order_letter()

    @precondition(lambda self: self.shop.queues.notices)
    @rule(picks=st.lists(st.integers(0, 20), min_size=1, max_size=3), way=WAYS)
    def a_sender_begins(self, picks: list[int], way: tuple[int | None, Fate]) -> None:
        messages = self.shop.queues.notices
        self.shop.go_on(self.shop.send(*[messages[pick % len(messages)] for pick in picks]), *way)

    @rule(way=WAYS)
    def the_scheduler_runs(self, way: tuple[int | None, Fate]) -> None:
        self.shop.go_on(self.shop.sweep(), *way)

    @precondition(lambda self: self.shop.queues.closings)
    @rule(way=WAYS)
    def a_closer_begins(self, way: tuple[int | None, Fate]) -> None:
        """The message stays: it may come again at any time."""
        self.shop.go_on(self.shop.close(), *way)

    @precondition(lambda self: self.shop.stage.actors)
    @rule(pick=st.integers(0, 20), way=WAYS)
    def a_function_goes_on(self, pick: int, way: tuple[int | None, Fate]) -> None:
        actors = self.shop.stage.actors
        self.shop.go_on(actors[pick % len(actors)], *way)

    @rule(time=TIMES)
    def time_goes_by(self, time: timedelta) -> None:
        self.shop.wait(self.shop.now + time)

    @rule()
    def time_goes_by_until_something_is_due(self) -> None:
        self.shop.wait(self.shop.ledger.next_due() or self.shop.now)

    @precondition(lambda self: self.shop.letters)
    @rule(pick=st.integers(0, 20))
    def a_letter_is_cancelled(self, pick: int) -> None:
        self.shop.cancel(f"ntc_{pick % self.shop.letters + 1:04d}")

    @rule(zone=st.sampled_from(ZONES))
    def the_practice_moves(self, zone: str) -> None:
        self.shop.move_to(zone)

    @invariant()
    def promises_hold(self) -> None:
        self.shop.assert_promises()

    def teardown(self) -> None:
        self.shop.until_quiet()
        self.shop.assert_at_rest()


@pytest.mark.hypothesis
def test_each_letter_sent_is_in_exactly_one_manifest_whatever_happens() -> None:
    run_state_machine_as_test(Closing, settings=tried(plain=30, thorough=400))


MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
MOST_CALLS = 22
"""More than a function makes here; a step that it doesn't get to is a test of nothing new."""

FAULTS = [fate for fate in Fate if fate is not Fate.DONE]


def nothing(_shop: PrintShop) -> None: ...


def two_days_of_letters(on_tuesday: Callable[[PrintShop], None] = nothing) -> PrintShop:
    """Two letters sent on Monday and one on Tuesday, whose batches are over: the scheduler is late."""
    shop = PrintShop(at("2026-03-02 12:00"))
    shop.go_on(shop.send(shop.order_letter(), shop.order_letter()))
    shop.wait(at("2026-03-03 12:00"))
    shop.go_on(shop.send(shop.order_letter()))
    on_tuesday(shop)
    shop.wait(at("2026-03-04 02:00"))
    return shop


def died(shop: PrintShop) -> None:
    """A letter's sender dies when it has written it, and the scheduler queues the letter again."""
    shop.go_on(shop.send(shop.order_letter()), 5, Fate.DEATH)
    shop.wait(shop.now + LONGEST_SENDING_LEASE)
    shop.go_on(shop.sweep())


def counted(shop: PrintShop) -> dict[date, int]:
    return {day: manifest.count for day, manifest in shop.manifests().items()}


def test_each_day_that_is_over_gets_its_manifest_when_the_scheduler_is_late() -> None:
    shop = two_days_of_letters()
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 2, TUESDAY: 1}


def test_a_day_that_is_not_over_is_not_closed() -> None:
    shop = PrintShop(at("2026-03-02 12:00"))
    shop.go_on(shop.send(shop.order_letter()))
    shop.wait(at("2026-03-03 00:59"))
    shop.go_on(shop.close())
    assert shop.manifests() == {}
    assert shop.ledger.next_due() == at("2026-03-03 01:00")


@pytest.mark.parametrize("fate", FAULTS)
@pytest.mark.parametrize("calls", range(MOST_CALLS))
def test_a_closer_that_fails_before_any_of_its_calls_closes_once(calls: int, fate: Fate) -> None:
    shop = two_days_of_letters()
    shop.go_on(shop.close(), calls, fate)
    shop.assert_promises()
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 2, TUESDAY: 1}


@pytest.mark.parametrize("calls", range(6, 12))
def test_a_closer_that_dies_between_many_letters_leaves_the_rest_to_the_next(calls: int) -> None:
    """More letters than one call deletes: some are gone, others still wait, and the manifest stands."""
    shop = PrintShop(at("2026-03-02 12:00"))
    shop.go_on(shop.send(*[shop.order_letter() for _ in range(60)]))
    shop.wait(at("2026-03-03 01:00"))
    shop.go_on(shop.close(), calls, Fate.DEATH)
    shop.assert_promises()
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 60}


@pytest.mark.parametrize("fate", FAULTS)
@pytest.mark.parametrize("calls", range(12))
def test_a_sender_that_fails_before_any_of_its_calls_loses_no_letter_and_lists_none_twice(
    calls: int, fate: Fate
) -> None:
    shop = PrintShop(at("2026-03-02 12:00"))
    shop.go_on(shop.send(shop.order_letter(), shop.order_letter()), calls, fate)
    shop.until_quiet()
    shop.assert_at_rest()
    assert sum(counted(shop).values()) == 2


@pytest.mark.parametrize("second", range(0, MOST_CALLS, 4))
@pytest.mark.parametrize("first", range(MOST_CALLS))
def test_two_closers_at_once_make_one_manifest_a_day(first: int, second: int) -> None:
    shop = two_days_of_letters()
    one, other = shop.close(), shop.close()
    shop.go_on(one, first)
    shop.go_on(other, second)
    shop.go_on(one)
    shop.go_on(other)
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 2, TUESDAY: 1}


@pytest.mark.parametrize("on_tuesday", [nothing, died], ids=["a new letter", "a letter whose sender died"])
@pytest.mark.parametrize("calls", range(MOST_CALLS))
def test_a_letter_sent_while_batches_are_closed_is_in_one_of_them_or_a_later_one(
    calls: int, on_tuesday: Callable[[PrintShop], None]
) -> None:
    shop = two_days_of_letters(on_tuesday)
    closer = shop.close()
    shop.go_on(closer, calls)
    shop.go_on(shop.send(shop.queues.notices[-1] if on_tuesday is died else shop.order_letter()))
    shop.assert_promises()
    shop.go_on(closer)
    shop.assert_promises()
    shop.until_quiet()
    shop.assert_at_rest()
    assert sum(counted(shop).values()) == 4


def test_a_letter_that_is_being_sent_when_its_batch_closes_is_in_the_next() -> None:
    shop = PrintShop(at("2026-03-02 23:59"))
    slow = shop.send(shop.order_letter())
    shop.go_on(slow, 3)
    slow.lives_until = at("2026-03-04 00:00")  # slower than a function can be
    shop.wait(at("2026-03-03 01:00"))
    shop.go_on(shop.close())
    assert counted(shop) == {MONDAY: 0}
    shop.go_on(slow)
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 0, TUESDAY: 1}


def test_a_letter_cancelled_after_its_sender_died_is_in_no_manifest_though_its_job_is_in_the_bucket() -> None:
    shop = PrintShop(at("2026-03-02 12:00"))
    died(shop)
    shop.cancel("ntc_0001")
    assert any(key.endswith(".pdf") for key in shop.bucket.objects)
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 0}


def test_a_day_without_letters_has_no_manifest_and_nothing_to_wait_for() -> None:
    shop = two_days_of_letters()
    shop.until_quiet()
    assert shop.ledger.next_due() is None


@pytest.mark.parametrize(
    ("since", "to", "days"),
    [
        ("America/New_York", "Pacific/Honolulu", {MONDAY: 2}),
        ("Pacific/Honolulu", "America/New_York", {MONDAY: 2}),
        ("America/New_York", "Pacific/Kiritimati", {MONDAY: 1, TUESDAY: 1}),
        ("Pacific/Kiritimati", "Pacific/Honolulu", {MONDAY: 1, TUESDAY: 1}),
    ],
)
def test_moving_to_another_time_zone_neither_loses_nor_repeats_a_letter(
    since: str, to: str, days: dict[date, int]
) -> None:
    shop = PrintShop(at("2026-03-02 14:00"), since)
    shop.go_on(shop.send(shop.order_letter()))
    shop.move_to(to)
    shop.wait(at("2026-03-02 23:00"))
    shop.go_on(shop.send(shop.order_letter()))
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == days


def test_a_sender_whose_day_is_suddenly_over_loses_no_letter() -> None:
    """It opened its day's batch with its first letter; its second relies on that."""
    shop = PrintShop(at("2026-03-02 14:00"))
    sender = shop.send(shop.order_letter(), shop.order_letter())
    while not any(row.status is NoticeStatus.SENT for row in shop.rows()):
        shop.go_on(sender, 1)
    shop.move_to("Pacific/Kiritimati")  # where it is Tuesday
    shop.go_on(shop.close())
    shop.go_on(sender)
    shop.assert_promises()
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {MONDAY: 1, TUESDAY: 1}


@pytest.mark.parametrize("night", ["2026-03-07 23:30", "2026-10-31 23:30"])
def test_nights_in_which_the_clock_changes_have_one_manifest_each(night: str) -> None:
    shop = PrintShop(at(night))
    day = shop.now.astimezone(shop.organization.zone).date()
    for hours in range(6):
        shop.wait(at(night) + timedelta(hours=hours))
        shop.go_on(shop.sweep())
        if shop.queues.closings:
            shop.go_on(shop.close())
        shop.go_on(shop.send(shop.order_letter()))
    shop.until_quiet()
    shop.assert_at_rest()
    assert counted(shop) == {day: 1, day + timedelta(days=1): 5}


def test_five_thousand_letters_are_listed_in_few_calls() -> None:
    calls = Counter[str]()
    table = MemoryTable(at=lambda operation: calls.update([operation]))
    client: Any = table
    shop = PrintShop(at("2026-03-02 12:00"))
    Organizations(client, TABLE).create(shop.organization)
    for number in range(5000):
        ids: dict[str, Any] = {"account_id": f"G-{number}", "notice_id": f"ntc_{number}"}
        row = notice(**ids, channel=Channel.PRINT, status=NoticeStatus.SENT, letter=StoredLetter(pages=1, sha256="a"))
        claimed = BatchedLetter(org_id=ORG, **ids, day=MONDAY, claimed_at=NOW)
        for item in (notice_item(row), letter_item(claimed)):
            table.items[item["pk"]["S"], item["sk"]["S"]] = item
    table.transact_write_items(TransactItems=[opening(TABLE, OpenPrintBatch(org_id=ORG, closes_at=NOW))])
    calls.clear()
    bucket: Any = shop.bucket
    BatchCloser(PrintBatches(client, TABLE), Organizations(client, TABLE), bucket, "print").close(
        ORG, at("2026-03-03 01:00")
    )
    assert counted(shop) == {MONDAY: 5000}
    assert (calls["batch_get_item"], calls["batch_write_item"]) == (50, 200)
    assert sum(calls.values()) < 300
