"""A model of delivery: two schedulers and four consumers over the same work, and everything that can go wrong.

Each function is held between its calls, overtaken, killed, throttled, or robbed of an answer. Messages come twice, in
any order, or long after they were deleted. Providers answer as they like, and tell of it late, twice, or never. What
must hold is in delivery_promises.py and delivery_rest.py. `make properties` plays more than ten thousand steps, a plain
run of the tests some of them.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.contracts.messages import NoticeMessage
from shared.domain.account.queue_actions import QueueAction
from shared.domain.delivery.orders import LONGEST_SENDING_LEASE
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.records.policy import DunningSettings
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.delivery_actors import Actor, Fate
from tests.worlds.delivery_chances import (
    ACCOUNT_EVENTS,
    AT_ITS_START,
    CHANNELS,
    HOUSEHOLDS,
    MOODS,
    MOVES,
    ONE_EFFECT,
    OUTCOMES,
    SETTINGS,
    SOON,
    TIMES,
    TO_THE_END,
    WAYS,
    WORKERS,
    Begin,
    Way,
)
from tests.worlds.delivery_desk import AccountEvent, Billed
from tests.worlds.delivery_functions import prepare
from tests.worlds.delivery_providers import Acceptance, Message, Mood
from tests.worlds.delivery_world import World
from tests.worlds.dunning_world import at
from tests.worlds.examples import organization
from tests.worlds.properties import THOROUGH, tried

STEPS_TO_SHOW = 10_000
"""As many as docs/rules.md#ten-thousand-steps asks for."""

OFTEN_SEEN = {"Scheduled -> Queued", "Queued -> Sending", "Sending -> Sent", "Sent -> Delivered", "at rest: Delivered"}
"""What happens in every run, however short, so that there is something to judge."""

CLAIM = "transact_write_items"
"""The call by which a consumer takes a notice."""

MORNING = at("2026-03-02 09:00")
REST_AFTER = 10
"""So many steps at least lie between two times at which everything comes to rest."""


class DeliveryModel(RuleBasedStateMachine):
    """A practice's reminders on their way, and all that may become of them."""

    world: World
    steps = 0
    seen: ClassVar[Counter[str]] = Counter()
    fates: ClassVar[Counter[tuple[str, str, Fate]]] = Counter()

    @initialize(
        dunning=SETTINGS, households=st.integers(1, 4), hours=st.integers(0, 9), moods=st.tuples(MOODS, MOODS, MOODS)
    )
    def open(self, dunning: DunningSettings, households: int, hours: int, moods: tuple[Mood, ...]) -> None:
        """Begin with accounts that are planned, and with whatever is due some hours later on its way."""
        self.healthy, self.files, self.since_rest = True, 0, 0
        self.world = World(replace(organization(), dunning=dunning), MORNING)
        self.world.providers.moods = dict(zip(Channel, moods, strict=True))
        for n in range(1, households + 1):
            self.goes(self.world.desk(f"G-{n}", Billed(1, 40_00), "first file"))
        self.goes(self.world.sweep())
        self.pass_time(self.world.now + timedelta(hours=hours))
        self.goes(self.world.sweep())

    # --- functions at work ---------------------------------------------------------------------------------------

    def goes(self, actor: Actor, way: Way = TO_THE_END) -> None:
        """Let a function go its way."""
        self.watched(lambda: self.world.go_on(actor, *way))

    def watched(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException:
            self.healthy = False
            raise

    def pass_time(self, until: datetime) -> None:
        self.watched(lambda: self.world.pass_time(until))

    def idle(self, who: Begin) -> list[str]:
        busy = {actor.name for actor in self.world.running()}
        return [name for name in WORKERS[who] if name not in busy]

    @precondition(lambda self: self.idle(Begin.SCHEDULER))
    @rule(way=WAYS)
    def scheduler_runs(self, way: Way) -> None:
        self.goes(self.world.sweep(self.idle(Begin.SCHEDULER)[0]), way)

    @precondition(lambda self: self.idle(Begin.CONSUMER) and self.world.queues.messages)
    @rule(which=st.integers(0, 9), most=st.integers(1, 3), again=st.booleans(), way=WAYS)
    def messages_come(self, which: int, most: int, way: Way, *, again: bool) -> None:
        self.goes(self.world.consume(self.some_messages(which, most, again=again), self.idle(Begin.CONSUMER)[0]), way)

    def some_messages(self, which: int, most: int, *, again: bool) -> list[Message]:
        """Messages of one channel; `again`: one of any, deleted or not, taken by somebody else or not."""
        queues = self.world.queues
        waiting = queues.waiting()
        if again or not waiting:
            return [queues.messages[-1 - which % len(queues.messages)]]
        first = waiting[which % len(waiting)]
        return [message for message in waiting if message.channel is first.channel][:most]

    @precondition(lambda self: self.world.running())
    @rule(which=st.integers(0, 9), way=WAYS)
    def someone_goes_on(self, which: int, way: Way) -> None:
        running = self.world.running()
        self.goes(running[which % len(running)], way)

    @rule(seconds=st.none() | SOON, happens=ACCOUNT_EVENTS, moves=MOVES)
    def they_get_in_each_others_way(
        self, seconds: int | None, happens: AccountEvent, moves: list[tuple[int, Begin | Fate]]
    ) -> None:
        """Perhaps when something is due, some begin to work, and have their effects in any order."""
        if seconds is not None:
            self.something_is_due(seconds)
        for which, move in moves:
            running = self.world.running()
            if isinstance(move, Begin):
                self.begins(move, which, happens)
            elif running:
                self.goes(running[which % len(running)], ONE_EFFECT if move is Fate.DONE else (0, move))

    def begins(self, what: Begin, which: int, happens: AccountEvent) -> None:
        """Hold somebody before the first effect: who is free, and has something to do."""
        names = self.idle(what)
        if names and what is Begin.SCHEDULER:
            self.goes(self.world.sweep(names[0]), AT_ITS_START)
        elif names and self.world.queues.messages:
            messages = self.some_messages(which, 1, again=which % 3 == 0)
            if what is Begin.CONSUMER:
                self.goes(self.world.consume(messages, names[0]), AT_ITS_START)
            elif isinstance(messages[0].body, NoticeMessage):
                self.files += 1
                self.goes(self.world.desk(messages[0].body.account_id, happens, f"file {self.files}"), AT_ITS_START)

    @precondition(lambda self: self.idle(Begin.CONSUMER) and self.world.queues.waiting())
    @rule(which=st.integers(0, 9), word=st.sampled_from([None, None, 0, 1]))
    def sender_dies_when_the_provider_has_it(self, which: int, word: int | None) -> None:
        """Or will have refused it: nobody records what the provider answers. Perhaps its event comes in the wait."""
        consumer = self.world.consume(self.some_messages(which, 1, again=False), self.idle(Begin.CONSUMER)[0])
        called = len(self.world.providers.calls)
        while consumer.running and len(self.world.providers.calls) == called:
            self.goes(consumer, ONE_EFFECT)
        if consumer.running:
            self.goes(consumer, (0, Fate.DEATH))
        if word is not None and self.idle(Begin.SCHEDULER):
            self.pass_time(self.world.now + LONGEST_SENDING_LEASE)
            self.goes(self.world.sweep(self.idle(Begin.SCHEDULER)[0]))
            for taken in self.unheard()[-1:]:
                self.goes(self.world.hear(taken, taken.events[word % len(taken.events)]))

    def unheard(self) -> list[Acceptance]:
        """What was taken without anybody's knowing, and is still to be told of."""
        unknown = {notice.notice_id for notice in self.world.notices() if notice.status is NoticeStatus.UNKNOWN}
        return [one for one in self.world.providers.to_tell() if one.notice_id in unknown]

    @precondition(lambda self: self.idle(Begin.CONSUMER) and self.world.queues.waiting())
    @rule(which=st.integers(0, 9), happens=ACCOUNT_EVENTS, way=WAYS)
    def account_is_changed_between_judgement_and_claim(self, which: int, happens: AccountEvent, way: Way) -> None:
        messages = self.some_messages(which, 3, again=False)
        consumer = self.world.consume(messages, self.idle(Begin.CONSUMER)[0])
        self.goes(consumer, AT_ITS_START)
        while consumer.running and consumer.call != CLAIM:
            self.goes(consumer, ONE_EFFECT)
        if isinstance(messages[0].body, NoticeMessage):
            self.files += 1
            self.goes(self.world.desk(messages[0].body.account_id, happens, f"file {self.files}"))
        self.goes(consumer, way)

    @precondition(lambda self: self.idle(Begin.SCHEDULER))
    @rule(hours=st.integers(1, 6), runs=st.integers(1, 3))
    def only_the_scheduler_runs(self, hours: int, runs: int) -> None:
        """Seldom, and everybody else is late."""
        for _ in range(runs):
            self.pass_time(self.world.now + timedelta(hours=hours))
            self.goes(self.world.sweep(self.idle(Begin.SCHEDULER)[0]))

    @precondition(lambda self: self.since_rest > REST_AFTER)
    @rule(late=st.booleans())
    def everything_comes_to_rest(self, *, late: bool) -> None:
        self.since_rest = 0
        self.watched(lambda: self.world.come_to_rest(events_late=late))

    # --- time ----------------------------------------------------------------------------------------------------

    @rule(seconds=SOON)
    def something_becomes_due(self, seconds: int) -> None:
        self.something_is_due(seconds)

    def something_is_due(self, seconds: int) -> None:
        due = self.world.next_due() or self.world.now
        self.pass_time(due + timedelta(seconds=seconds))

    @rule(seconds=TIMES, slow=st.booleans())
    def time_passes(self, seconds: int, *, slow: bool) -> None:
        self.watched(lambda: self.world.pass_time(self.world.now + timedelta(seconds=seconds), slow=slow))

    @rule()
    def due_index_lags_behind(self) -> None:
        """Until the next time: an index is never promised to be as new as its table."""
        table = self.world.table
        table.seen_by_due_index = None if table.seen_by_due_index else dict(table.items)

    # --- what happens to accounts --------------------------------------------------------------------------------

    @rule(household=HOUSEHOLDS, happens=ACCOUNT_EVENTS, way=WAYS)
    def account_is_changed(self, household: str, happens: AccountEvent, way: Way) -> None:
        self.files += 1
        self.goes(self.world.desk(household, happens, f"file {self.files}"), way)

    @precondition(lambda self: self.world.notices())
    @rule(which=st.integers(0, 9), action=st.sampled_from(QueueAction), opt_out=st.booleans(), way=WAYS)
    def staff_acts_on_the_queue(self, which: int, action: QueueAction, way: Way, *, opt_out: bool) -> None:
        notices = self.world.notices()
        chosen = notices[-1 - which % len(notices)]
        self.goes(self.world.staff_acts(chosen, action, opt_out=opt_out and action is not QueueAction.RETRY), way)

    @rule(setting=st.sampled_from(["drop_to_paper_on_opt_out", "opt_out_after_undeliverable"]))
    def settings_are_changed(self, setting: str) -> None:
        self.world.change_setting(setting)

    # --- providers -----------------------------------------------------------------------------------------------

    @rule(channel=CHANNELS, becomes=st.one_of(MOODS, OUTCOMES))
    def provider_changes(self, channel: Channel, becomes: Mood | tuple[DeliveryOutcome, ...]) -> None:
        if isinstance(becomes, Mood):
            self.world.providers.moods[channel] = becomes
        else:
            self.world.providers.outcomes[channel] = becomes

    @precondition(lambda self: self.world.providers.taken)
    @rule(which=st.integers(0, 9), arrives=st.sampled_from(["", "", "again", "never"]), way=WAYS)
    def event_comes(self, which: int, arrives: str, way: Way) -> None:
        """In whatever order, late, once more, or not at all."""
        taken = self.world.providers.taken
        acceptance = taken[-1 - which % len(taken)]
        events = acceptance.heard if arrives == "again" else acceptance.events
        if arrives == "never":
            events.clear()
        elif events:
            self.goes(self.world.hear(acceptance, events[which % len(events)]), way)

    # --- what is kept count of -----------------------------------------------------------------------------------

    @invariant()
    def a_step_is_counted(self) -> None:
        """What must hold was looked at while the step was made."""
        DeliveryModel.steps += 1
        self.since_rest += 1

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        if self.healthy:
            self.watched(lambda: self.world.come_to_rest(events_late=True))
        for actor in self.world.running():
            self.world.go_on(actor, 0, Fate.DEATH)
        DeliveryModel.seen.update(self.world.promises.seen)
        DeliveryModel.fates.update(self.world.stage.fates)


@pytest.mark.hypothesis
def test_no_reminder_is_lost_and_none_is_sent_twice_unmarked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(monkeypatch)
    run_state_machine_as_test(DeliveryModel, settings=tried(plain=30, thorough=600))
    assert set(DeliveryModel.seen) >= OFTEN_SEEN
    if THOROUGH:
        with capsys.disabled():
            sys.stdout.write(report())
        assert DeliveryModel.steps >= STEPS_TO_SHOW
        assert DeliveryModel.seen["possible duplicate accepted"], "nothing was ever sent twice, so nothing was shown"


def report() -> str:
    """What happened in all histories: steps, moves of rows, and what became of which call."""
    lines = [f"{DeliveryModel.steps} steps, {sum(DeliveryModel.fates.values())} calls in them"]
    lines += [f"{times:8} {what}" for what, times in sorted(DeliveryModel.seen.items())]
    fates = sorted(DeliveryModel.fates.items(), key=str)
    lines += [f"{times:8} {kind}, {call}: {fate.value}" for (kind, call, fate), times in fates]
    return "\n".join(["", *lines, ""])
