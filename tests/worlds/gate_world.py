"""Workers of one channel, each a process of its own, at one gate: the ledger and the provider in memory."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from shared.domain.delivery.channel_gate import ChannelState, Limits
from shared.domain.delivery.orders import Accepted, Order, Postponed, ProviderAnswer
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.sending.permits import ChannelGate
from shared.sending.send_notice import NoticeSender
from shared.storage.channel_gates import ChannelGates
from tests.worlds.examples import NOW, account, bill, book, notice, organization
from tests.worlds.ledger import Ledger
from tests.worlds.memory_table import MemoryTable

BATCH = 10
CLOCK = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
"""Real time at the beginning. It runs as fast as the product's time, and is never the same."""

MINUTE = timedelta(minutes=1)
NO_LIMIT = Limits(per_second=1_000_000.0)


@dataclass
class Provider:
    """Answers as `mood` says for the moment; `calls` keeps each call's instant and notice, `accepted` who went."""

    world: "World"
    mood: Callable[[datetime], ProviderAnswer] = lambda _: Accepted(message_id="m-1")
    calls: list[tuple[datetime, str]] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    uncomposable: set[str] = field(default_factory=set)

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        if order.notice.notice_id in self.uncomposable:
            raise KeyError

        def send() -> ProviderAnswer:
            self.calls.append((self.world.clock, order.notice.notice_id))
            answer = self.mood(self.world.now)
            self.accepted[order.notice.notice_id] += isinstance(answer, Accepted)
            return answer

        return send


@dataclass
class World:
    """A channel with its workers. `elapsed`: how long it runs; product time and real time follow from it."""

    limits: Limits | None = NO_LIMIT
    ask_limits: Callable[[], Limits | Postponed] | None = None
    workers: int = 4
    elapsed: timedelta = timedelta(0)
    queue: deque[Notice] = field(default_factory=deque)
    failed: list[str] = field(default_factory=list)
    slept: list[list[float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger()
        self.ledger.organizations.create(organization())
        self.provider = Provider(self)
        self.table = MemoryTable(at=self._called)
        self.table_calls: Counter[str] = Counter()
        self.fault: Callable[[str], None] = lambda _: None
        self.gates = [self.process() for _ in range(self.workers)]

    @property
    def now(self) -> datetime:
        return NOW + self.elapsed

    @property
    def clock(self) -> datetime:
        return CLOCK + self.elapsed

    @property
    def state(self) -> ChannelState:
        table = MemoryTable(items=self.table.items)
        return ChannelGates(cast("Any", table), "dunlin").load(Channel.EMAIL).state

    def _called(self, operation: str) -> None:
        self.table_calls[operation] += 1
        self.fault(operation)

    def process(self) -> ChannelGate:
        """A worker's gate, as a new process makes it."""
        return ChannelGate(
            Channel.EMAIL,
            ChannelGates(cast("Any", self.table), "dunlin"),
            usual=self.limits,
            ask_limits=self.ask_limits,
            clock=lambda: self.clock,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept[-1].append(seconds)
        self.elapsed += timedelta(seconds=seconds)

    # --- what happens --------------------------------------------------------------------------------------------

    def given(self, count: int, since: int = 0) -> list[str]:
        """So many accounts, each with a notice that is due now."""
        names = [f"ntc_{n}" for n in range(since, since + count)]
        for name in names:
            who = account(account_id=f"G-{name}")
            row = notice(notice_id=name, account_id=who.account_id, scheduled_for=self.now)
            self.ledger.open(book(account=who, bills=(bill(),), notices=(row,)))
        self.names += names
        return names

    def row(self, name: str) -> Notice:
        return self.ledger.row(name, f"G-{name}")

    def rows(self) -> list[Notice]:
        return [self.row(name) for name in self.names]

    def dispatch(self) -> None:
        """The scheduler's run: what is due goes to the queue."""
        for row in self.ledger.due(self.now):
            if row.status is NoticeStatus.SCHEDULED:
                lease_until = self.now + 15 * MINUTE
                after = moved(row, NoticeStatus.QUEUED, self.now, "scheduler", lease_until=lease_until)
                self.ledger.move(row, after)
                self.queue.append(after)

    def invoke(self, gate: ChannelGate, most: int = BATCH) -> None:
        """One invocation of a worker with the next messages of the queue. What fails comes again."""
        batch = [self.queue.popleft() for _ in range(min(most, len(self.queue)))]
        self.slept.append([])
        delivery = NoticeSender(
            self.ledger.books,
            self.ledger.rows,
            self.ledger.organizations,
            self.provider,
            gate=gate,
            expected=len(batch),
        )
        for asked in batch:
            try:
                delivery.deliver("org_1", asked.account_id, asked.notice_id, self.now)
            except ClientError:
                self.failed.append(asked.notice_id)
                self.queue.append(asked)

    def work(self) -> None:
        """The workers empty the queue, in turns."""
        while self.queue:
            for gate in self.gates:
                if self.queue:
                    self.invoke(gate)

    def run(self, until: timedelta) -> None:
        """Let time go by, with a run of the scheduler each minute."""
        while self.elapsed < until:
            minute = self.elapsed
            self.dispatch()
            self.work()
            self.elapsed = max(self.elapsed, minute + MINUTE)
