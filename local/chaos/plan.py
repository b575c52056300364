"""Which cells there are: made from the calls that undisturbed plays make, so that a new call is met by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.chaos.calls import Call, InjectedFault, Kind
from local.chaos.cell import Cell, CellOutcome, EventMode, play
from local.chaos.events import WITH_EVENTS
from local.chaos.functions import HarnessError, Invocation
from shared.domain.vocabulary.words import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chaos.bench import Bench

SCHEDULER, EVENTS = "scheduler", "delivery_events"
READ = (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.OUTAGE)
WRITE = (*READ, Kind.RESET_AFTER)
PROVIDER_CALL = (
    Kind.KILL_BEFORE,
    Kind.KILL_AFTER,
    Kind.RESET_BEFORE,
    Kind.RESET_AFTER,
    Kind.TIMEOUT_AFTER,
    Kind.ERROR_AFTER,
    Kind.THROTTLED,
    Kind.PAUSED,
)
BUCKET_CALL = (
    Kind.KILL_BEFORE,
    Kind.KILL_AFTER,
    Kind.RESET_BEFORE,
    Kind.RESET_AFTER,
    Kind.ERROR_AFTER,
    Kind.THROTTLED,
    Kind.OUTAGE,
)
TWICE = (Kind.KILL_BEFORE, Kind.KILL_AFTER)
"""What befalls the recovery from a first crash: a read only the first of them, the provider's call all that it can."""

COLLECT, DISPATCH, CLAIM, SEND, RECORD, SETTLE = "collect", "dispatch", "claim", "send", "record", "settle"
LOOK_AGAIN, CLOSE_BATCH, SET_ASIDE = "look again", "close batch", "set aside"
STAGES = (SET_ASIDE, COLLECT, DISPATCH, CLAIM, SEND, RECORD, SETTLE, LOOK_AGAIN, CLOSE_BATCH)
AFTER = {
    Kind.KILL_AFTER: "after a crash, accepted: ",
    Kind.KILL_BEFORE: "after a crash, not accepted: ",
}
"""What comes before a stage's name in the recovery from a first crash, at the provider's call."""


@dataclass(frozen=True)
class Point:
    """One call of one invocation, and what is being done there."""

    function: str
    nth: int
    stage: str
    call: Call

    def cell(self, channel: Channel, mode: EventMode, kind: Kind, first: InjectedFault | None = None) -> Cell:
        """The cell in which this kind of fault meets this call, after an earlier one where there was one."""
        fault = InjectedFault(self.function, self.nth, self.call.number, kind)
        return Cell(
            channel=channel,
            mode=mode,
            faults=(first, fault) if first else (fault,),
            stage=f"{AFTER[first.kind] if first else ''}{self.stage}",
            call=self.call.name,
            kind=kind,
        )


def modes_of(channel: Channel) -> tuple[EventMode, ...]:
    """When a channel's events may arrive; only "lost" where its provider says nothing."""
    return tuple(EventMode) if channel in WITH_EVENTS else (EventMode.LOST,)


def kinds_at(call: Call) -> tuple[Kind, ...]:
    """All that may befall a call."""
    if call.reads:
        return READ
    if not call.provider:
        return WRITE
    return BUCKET_CALL if call.service == "s3" else PROVIDER_CALL


def points(outcome: CellOutcome, since: int = 0) -> list[Point]:
    """The calls that a play made on its way, from an invocation on; sweeps that found nothing due are left out."""
    return [
        Point(one.function, one.nth, stage, call)
        for one in outcome.invocations[since : outcome.way]
        if any(call.name != "Query due" for call in one.calls)
        for call, stage in zip(one.calls, _stages(one), strict=True)
    ]


def _stages(invocation: Invocation) -> Iterator[str]:
    """What each call is for: a function's work in the words of docs/delivery.md."""
    names = [call.name for call in invocation.calls]
    writes = [place for place, name in enumerate(names) if name.startswith("TransactWriteItems")]
    sends = [place for place, call in enumerate(invocation.calls) if call.provider]
    queues = any(name.startswith("SendMessage") for name in names)
    closes = any("manifest" in name for name in names)
    for place in range(len(names)):
        if invocation.function == EVENTS:
            yield SETTLE
        elif invocation.function == SCHEDULER:
            collecting = bool(writes) and place <= writes[-1]
            yield COLLECT if collecting else DISPATCH if queues or writes else LOOK_AGAIN
        elif closes:
            yield CLOSE_BATCH
        elif not sends or place < sends[0]:
            yield CLAIM
        else:
            yield SEND if place <= sends[-1] else RECORD


def cells_of(bench: Bench, channel: Channel) -> list[Cell]:
    """All cells of a channel."""
    modes = modes_of(channel)
    usual = points(play(bench, Cell(channel, EventMode.SOON if EventMode.SOON in modes else EventMode.LOST)))
    # An event that overtakes the answer makes a way of its own; what comes later doesn't change the first sending.
    overtaken = points(play(bench, Cell(channel, EventMode.AT_ONCE))) if EventMode.AT_ONCE in modes else usual
    undisturbed = (
        point.cell(channel, mode, kind)
        for mode in modes
        for point in (overtaken if mode is EventMode.AT_ONCE else usual)
        for kind in kinds_at(point.call)
        if mode in _met(point, modes)
    )
    beside = _set_aside(bench) if channel is Channel.EMAIL else ()
    return [*beside, *undisturbed, *_after_a_crash(bench, channel, usual)]


def _set_aside(bench: Bench) -> Iterator[Cell]:
    """The cells in which what fails can't simply be set aside: whatever becomes of that, the notice beside it goes."""
    undisturbed = Cell(Channel.EMAIL, EventMode.LOST, beside_failing=True)
    for point in points(play(bench, undisturbed)):
        if point.function == SCHEDULER and point.nth == 1 and point.call.name.endswith(" job"):
            for kind in kinds_at(point.call):
                cell = replace(point, stage=SET_ASIDE).cell(Channel.EMAIL, EventMode.LOST, kind)
                yield replace(cell, beside_failing=True)


def _met(point: Point, modes: tuple[EventMode, ...]) -> tuple[EventMode, ...]:
    """The modes that make a difference at a point of an undisturbed way.

    Before the message is sent, only whether an event comes at all; and nothing is ever Unknown.
    """
    if point.function == EVENTS:
        return tuple(mode for mode in modes if mode not in {EventMode.WAITING, EventMode.LOST})
    if point.function == SCHEDULER and len(modes) > 1:
        return (EventMode.SOON,) if point.call.reads else (EventMode.SOON, EventMode.LOST)
    return modes


def _after_a_crash(bench: Bench, channel: Channel, found: list[Point]) -> Iterator[Cell]:
    """The cells in which the recovery from a crash at the provider's call is disturbed too.

    The first crash is the worst one: the provider has the message, the ledger doesn't know, and no event comes. Beside
    it, what follows a crash just before the call is disturbed at the provider's next call.
    """
    *_, send = (point for point in found if point.stage == SEND and point.call.provider)
    for kind in AFTER:
        first = InjectedFault(send.function, send.nth, send.call.number, kind)
        crashed = play(bench, Cell(channel, EventMode.LOST, (first,)))
        since = next((place for place, one in enumerate(crashed.invocations) if one.met), None)
        if since is None:
            raise HarnessError(f"no crash at {first}")
        for point in points(crashed, since + 1):
            for second in _second_kinds(point.call) if kind is Kind.KILL_AFTER or point.call.provider else ():
                yield point.cell(channel, EventMode.LOST, second, first)
    for mode in modes_of(channel):
        if mode is EventMode.LOST:
            continue
        first = InjectedFault(send.function, send.nth, send.call.number, Kind.KILL_AFTER)
        crashed = play(bench, Cell(channel, mode, (first,)))
        settling = [point for point in points(crashed) if point.function == EVENTS]
        yield from (point.cell(channel, mode, kind, first) for point in settling for kind in _second_kinds(point.call))


def _second_kinds(call: Call) -> tuple[Kind, ...]:
    return kinds_at(call) if call.provider else TWICE[:1] if call.reads else TWICE
