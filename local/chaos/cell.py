"""One cell of the matrix: a notice's whole way with faults at chosen calls, played until nothing moves any more.

What plays here are the parts of AWS between the functions: the schedule that runs each minute, the queue that brings a
message again, the topic that brings an event again. Time is simulated; only the processes and their deaths are real.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.chaos.events import delivered
from local.chaos.functions import HarnessError, Invocation
from local.chaos.world import WORLD_START
from shared.domain.vocabulary.words import Channel, NoticeStatus

if TYPE_CHECKING:
    from local.chaos.bench import Bench
    from local.chaos.calls import InjectedFault
    from local.chaos.providers import Acceptance
    from local.chaos.world import ChaosWorld
    from shared.domain.records.notice import Notice

CONSUMERS = {Channel.EMAIL: "send_email", Channel.SMS: "send_sms", Channel.PRINT: "render_print"}
CELL_HORIZON = WORLD_START + timedelta(days=4)
"""Where a cell ends: past every lease, wait and deferral, before the next step of dunning."""

_MINUTE = timedelta(minutes=1)
_MOST_SWEEPS = 60
_TRIES_OF_AN_EVENT = 3
_MILLISECONDS = {"scheduler": 300_000}
_RECEIVE_SECONDS = 600
RECORDED = frozenset({NoticeStatus.SENT, NoticeStatus.DELIVERED})


class EventMode(StrEnum):
    """When the provider's event about a message arrives."""

    AT_ONCE = "at once"
    """Before the provider's answer does."""
    SOON = "soon"
    """After the invocation that sent."""
    WAITING = "while unknown"
    """After the lease ended and before the notice is sent again."""
    LATE = "late"
    """When all is quiet: after any re-send."""
    LOST = "lost"


@dataclass(frozen=True)
class Cell:
    """What happens: on which channel, when the events arrive, and which calls meet a fault.

    stage, call, kind: what the last fault is about, in words; they name the matrix's row. beside_failing: something
    that can't be read is due first, in the same shard, and never works.
    """

    channel: Channel
    mode: EventMode
    faults: tuple[InjectedFault, ...] = ()
    stage: str = ""
    call: str = ""
    kind: str = ""
    beside_failing: bool = False

    @property
    def row(self) -> tuple[str, str, str]:
        """The row of the matrix that the cell is in."""
        return self.stage, self.call, self.kind

    @property
    def name(self) -> str:
        """How a failure names it: with the number of the function's invocation and that of the call in it."""
        met = [f"{one.kind} {one.function} {one.nth}, call {one.call}" for one in self.faults]
        beside = ", beside what fails" if self.beside_failing else ""
        return f"{self.channel}, event {self.mode}{beside}: {'; then '.join(met)} ({self.stage}: {self.call})"


@dataclass(frozen=True)
class CellOutcome:
    """What a cell came to.

    unrecorded: a faulted invocation ended with a message at the provider of which the ledger knew nothing.
    way: how many of the invocations it took; those after it looked whether anything comes of a message brought again.
    quiet: nothing was left to do. dead: messages in the dead-letter queue. letters: objects in the print bucket.
    set_aside: how many things that failed are listed.
    """

    cell: Cell
    accepted: tuple[Acceptance, ...]
    notices: tuple[Notice, ...]
    unrecorded: bool
    quiet: bool
    way: int
    dead: int
    letters: tuple[str, ...]
    listed: tuple[str, ...]
    set_aside: int
    invocations: tuple[Invocation, ...]

    @property
    def all_met(self) -> bool:
        """Whether every fault came about, the last one at the call that the cell is about; else it says nothing."""
        met = {one.fault: one.calls for one in self.invocations if one.fault and one.met}
        names = [call.name for last in self.cell.faults[-1:] for call in met.get(last, ()) if call.number == last.call]
        return set(met) == set(self.cell.faults) and set(names) <= {self.cell.call}


@dataclass
class Play:
    """The play of one cell on a bench."""

    bench: Bench
    cell: Cell
    world: ChaosWorld
    now: datetime = WORLD_START
    _counts: Counter[str] = field(default_factory=Counter)
    _invocations: list[Invocation] = field(default_factory=list)
    _pending: list[Acceptance] = field(default_factory=list)
    _handled: list[dict[str, Any]] = field(default_factory=list)
    _unrecorded: bool = False

    def run(self) -> CellOutcome:
        """Play until quiet; then bring each message of the queue once more, and see that nothing comes of it."""
        self.bench.providers.on_acceptance = self._on_acceptance
        quiet = self._until_quiet()
        while quiet and self._pending:
            self._bring_events()
            quiet = self._until_quiet()
        way = len(self._invocations)
        if self._handled:
            again = [record | {"messageId": f"again-{n}"} for n, record in enumerate(self._handled)]
            self._invoke(CONSUMERS[self.cell.channel], {"Records": again})
            quiet = quiet and self._until_quiet()
        return self._outcome(way, quiet=quiet)

    def _until_quiet(self) -> bool:
        for _ in range(_MOST_SWEEPS):
            swept = self._invoke("scheduler", {"asOf": self.now.isoformat(), "work": "notices"})
            worked = self._consume()
            if self.cell.mode is EventMode.SOON or (self.cell.mode is EventMode.WAITING and self._unknown()):
                worked = self._bring_events() or worked
            due = swept.answer["nextDueAt"] if swept.succeeded else None
            if worked or not swept.succeeded:
                self.now += _MINUTE
            elif due is None or datetime.fromisoformat(due) > CELL_HORIZON:
                return True
            else:
                self.now = max(datetime.fromisoformat(due), self.now + _MINUTE)
        return False

    def _consume(self) -> bool:
        """Give what is in the channel's queue to its function, and again what it fails at; True: there was some.

        Where a fault met the function all of its batch is brought again, also what it is done with: a message that
        isn't deleted in time comes twice.
        """
        worked = False
        sqs, url = self.world.sqs, self.world.queues[self.cell.channel]
        while True:
            asked = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_RECEIVE_SECONDS,
                AttributeNames=["ApproximateReceiveCount"],
            )
            messages = asked.get("Messages", [])
            if not messages:
                return worked
            worked = True
            records = [_record(message) for message in messages]
            invocation = self._invoke(CONSUMERS[self.cell.channel], {"Records": records})
            failed = {record["messageId"] for record in records}
            if invocation.succeeded and not invocation.met:
                failed = {failure["itemIdentifier"] for failure in invocation.answer["batchItemFailures"]}
            for record in records:
                handle = record["receiptHandle"]
                if record["messageId"] in failed:
                    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
                else:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
                    self._handled.append(record)

    def _on_acceptance(self, acceptance: Acceptance) -> None:
        if self.cell.mode is EventMode.AT_ONCE:
            self._bring(acceptance)
        elif self.cell.mode is not EventMode.LOST:
            self._pending.append(acceptance)

    def _bring_events(self) -> bool:
        """Bring the events that wait; True: there were some."""
        pending, self._pending = self._pending, []
        for acceptance in pending:
            self._bring(acceptance)
        return bool(pending)

    def _bring(self, acceptance: Acceptance) -> None:
        for _ in range(_TRIES_OF_AN_EVENT):
            if self._invoke("delivery_events", delivered(self.cell.channel, acceptance)).succeeded:
                return

    def _invoke(self, function: str, event: Any) -> Invocation:  # noqa: ANN401 - an event of Lambda
        self._counts[function] += 1
        nth = self._counts[function]
        fault = next((one for one in self.cell.faults if (one.function, one.nth) == (function, nth)), None)
        before = len(self.bench.providers.accepted)
        invocation = self.bench.functions[function].invoke(
            event, self.world.environment, _MILLISECONDS.get(function, 60_000), nth, fault
        )
        self._invocations.append(invocation)
        sent = len(self.bench.providers.accepted) > before
        if invocation.met and sent and function == CONSUMERS[self.cell.channel]:
            self._unrecorded |= any(notice.status not in RECORDED for notice in self.world.book().notices)
        return invocation

    def _unknown(self) -> bool:
        return any(notice.status is NoticeStatus.UNKNOWN for notice in self.world.book().notices)

    def _outcome(self, way: int, *, quiet: bool) -> CellOutcome:
        asked = self.world.sqs.get_queue_attributes(
            QueueUrl=self.world.dead_letters, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return CellOutcome(
            cell=self.cell,
            accepted=tuple(self.bench.providers.accepted),
            notices=self.world.book().notices,
            unrecorded=self._unrecorded,
            quiet=quiet,
            way=way,
            dead=int(asked["Attributes"]["ApproximateNumberOfMessages"]),
            letters=tuple(self.world.letters()),
            listed=tuple(self.world.listed()),
            set_aside=self.world.set_aside(),
            invocations=tuple(self._invocations),
        )


def play(bench: Bench, cell: Cell) -> CellOutcome:
    """Play a cell in a world of its own."""
    world = bench.world(cell.channel)
    if cell.beside_failing:
        world.let_something_fail()
    try:
        return Play(bench, cell, world).run()
    except HarnessError as error:
        raise HarnessError(f"{cell.name}: {error}") from error
    finally:
        world.remove()


def _record(message: Any) -> dict[str, Any]:  # noqa: ANN401 - a message of SQS
    """A message as Lambda's event source mapping gives it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:chaos",
        "awsRegion": "us-east-1",
    }
