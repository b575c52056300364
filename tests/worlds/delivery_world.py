"""A practice whose reminders really go: its functions at work at the same time, and what becomes of them.

Every function runs as an Actor, so that a test can hold it between any two of its calls, let another overtake it, or
kill it. What happens is judged where it happens: at the table and at the providers (delivery_promises.py).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.account.queue_actions import QueueAction
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage import keys
from tests.worlds.delivery_actors import Actor, Fate, Stage
from tests.worlds.delivery_desk import ORG, AccountEvent, Desk
from tests.worlds.delivery_functions import GIVEN_UP, Functions
from tests.worlds.delivery_promises import Promises
from tests.worlds.delivery_providers import Acceptance, Message, Mood, Providers, Queues
from tests.worlds.delivery_rest import each_letter_is_listed_once, nothing_is_lost
from tests.worlds.ledger import Ledger
from tests.worlds.memory_table import MemoryTable

SCHEDULER_LIVES = timedelta(seconds=300)
CONSUMER_LIVES = timedelta(seconds=60)
REQUEST_LIVES = timedelta(seconds=29)
"""The functions' timeouts, as in template.yaml: one that takes longer is killed."""

UNDER_WAY = {NoticeStatus.SCHEDULED, NoticeStatus.QUEUED, NoticeStatus.SENDING}

MOST_RUNS = 200
"""Far more than it takes until nothing is under way any more."""


@dataclass(eq=False)
class World:
    """One organization, and all that its reminders pass through. client: of the table, if not the one in memory."""

    organization: Organization
    now: datetime
    stage: Stage = field(default_factory=Stage)
    client: Callable[[MemoryTable], Any] = lambda table: table

    def __post_init__(self) -> None:
        self.table = MemoryTable(at=self.stage.at, effect=self.stage.effect)
        self.promises = Promises([self.organization], self.table)
        self.table.wrote = self.promises.written
        self.queues = Queues(self.stage)
        self._notices: dict[Actor | None, tuple[str, str]] = {}
        self.providers = Providers(
            self.stage,
            lambda: self.now,
            lambda: self._notices[self.stage.actor],
            self.promises.reached,
            self.promises.accepted,
        )
        self.functions = Functions(
            self.client(self.table),
            self.queues,
            self.providers,
            lambda: self.now,
            self._turns_to,
            lambda: self.stage.at("delete_messages"),
        )
        self.books = self.functions.books
        self.organization = self.functions.organizations.create(self.organization)
        self.promises.organizations.append(self.organization)

    def all_books(self) -> list[AccountBook]:
        accounts = sorted(
            keys.account_id_of(partition)
            for partition, sort in self.table.items
            if sort == keys.ROOT and partition.startswith("A#")
        )
        return [book for account_id in accounts if (book := self.books.load(ORG, account_id))]

    def notices(self) -> list[Notice]:
        """All rows, the newest last."""
        found = [notice for book in self.all_books() for notice in book.notices]
        return sorted(found, key=lambda notice: (notice.created_at, notice.notice_id))

    def next_due(self) -> datetime | None:
        """The earliest instant that the due index has."""
        return Ledger(self.table).next_due()

    # --- functions and time --------------------------------------------------------------------------------------

    def running(self) -> list[Actor]:
        return list(self.stage.actors)

    def _begin(self, name: str, kind: str, job: Callable[[], None], lives: timedelta) -> Actor:
        actor = Actor(name, kind, job, self.now, self.now + lives)
        self.stage.begin(actor)
        return actor

    def go_on(self, actor: Actor, effects: int | None = None, fate: Fate = Fate.DONE) -> None:
        """Let a function have some effects, all that it has left (None), and hold it before the next or let that fail.

        What it only reads between two effects it reads at once: who dies before a read might as well die after it.
        """
        had = 0
        while actor.running and (effects is None or had < effects or not actor.has_effect):
            had += actor.has_effect
            self.stage.go_on(actor)
        if actor.running and fate is not Fate.DONE:
            self.stage.go_on(actor, fate)

    def pass_time(self, until: datetime, *, slow: bool = False) -> None:
        """Let time go by; a function whose time is up is killed on the way.

        slow: one that has its provider's answer only stands still meanwhile, as where time is simulated.
        """
        self.now = max(self.now, until)
        for actor in self.running():
            if actor.lives_until < self.now and not (slow and actor.answered):
                self.stage.go_on(actor, Fate.DEATH)

    def sweep(self, name: str = "scheduler A") -> Actor:
        """A scheduler begins to run."""
        now = self.now
        return self._begin(name, "scheduler", lambda: self.functions.sweep(now), SCHEDULER_LIVES)

    def consume(self, messages: list[Message], name: str = "consumer 1") -> Actor:
        """A consumer begins with a batch of one channel's messages."""
        for message in messages:
            message.receives += 1
        now, kind = self.now, f"send {messages[0].channel}"
        return self._begin(name, kind, lambda: self.functions.consume(name, messages, now), CONSUMER_LIVES)

    def _turns_to(self, account_id: str, notice_id: str) -> None:
        actor = self.stage.actor
        self._notices[actor] = account_id, notice_id
        if actor:
            actor.answered = False

    def hear(self, acceptance: Acceptance, outcome: DeliveryOutcome) -> Actor:
        """A provider's event about a message begins to be heard. It is told until somebody has heard it."""

        def job(now: datetime = self.now) -> None:
            with suppress(*GIVEN_UP):
                self.functions.listener(acceptance.channel).receive(acceptance.told(outcome), now)
                self.promises.heard(acceptance, outcome)
                acceptance.heard.append(outcome)
                if outcome in acceptance.events:
                    acceptance.events.remove(outcome)

        return self._begin("events", "events", job, REQUEST_LIVES)

    # --- what happens to accounts --------------------------------------------------------------------------------

    def desk(self, account_id: str, event: AccountEvent, name: str) -> Actor:
        """Somebody begins to change an account."""
        desk = Desk(self.books, self.organization, self.now, name)
        return self._begin("desk", "desk", lambda: desk.happens(account_id, event), REQUEST_LIVES)

    def staff_acts(self, notice: Notice, action: QueueAction, *, opt_out: bool) -> Actor:
        """Staff begin to do something with a notice."""
        desk = Desk(self.books, self.organization, self.now)
        return self._begin("desk", "desk", lambda: desk.acts(notice, action, opt_out=opt_out), REQUEST_LIVES)

    def change_setting(self, name: str) -> None:
        """A dunning setting is switched, at once."""
        before = self.organization
        changed: dict[str, Any] = {name: not getattr(before.dunning, name)}
        after = replace(before, dunning=replace(before.dunning, **changed))
        saved = self.functions.organizations.save(after, replan_at=self.now)
        self.organization = saved
        self.promises.organizations.append(saved)

    # --- until nothing is under way ------------------------------------------------------------------------------

    def come_to_rest(self, *, events_late: bool) -> None:
        """Let everything end well from now on, until nothing is under way any more; events may come first, or last."""
        self.table.seen_by_due_index = None
        self.providers.moods = dict.fromkeys(Channel, Mood.ACCEPTS)
        for actor in self.running():
            self.go_on(actor)
        if not events_late:
            self._hear_everything()
        self._work_on()
        self._hear_everything()
        self._work_on()
        nothing_is_lost(self.promises, self.all_books(), self.now)
        each_letter_is_listed_once(self.all_books(), self.providers.objects)

    def _hear_everything(self) -> None:
        for acceptance in self.providers.taken:
            for outcome in tuple(acceptance.events):
                self.go_on(self.hear(acceptance, outcome))

    def _work_on(self) -> None:
        """Run the scheduler and the channels whenever there is something to do, until no notice is under way."""
        for _ in range(MOST_RUNS):
            self.go_on(self.sweep())
            while waiting := self.queues.waiting():
                self.go_on(self.consume(waiting[:1]))
            due = self.next_due()
            under_way = any(row.status in UNDER_WAY or row.lease_until for row in self.notices())
            if due is None or (due > self.now and not under_way and not self._letters_wait()):
                return
            # The scheduler runs every minute; one that died holds its shard for two.
            self.pass_time(due if due > self.now else self.now + timedelta(minutes=1))
        raise AssertionError(f"never at rest: {[row.status_history for row in self.notices()]}")

    def _letters_wait(self) -> bool:
        """Whether a print batch is still to be closed."""
        return "due_at" in self.table.items.get((keys.print_batches(ORG), keys.ROOT), {})
