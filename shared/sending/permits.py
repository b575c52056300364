"""The gate of a channel: whether it may send, and from which instant on. Delivery asks it before it claims a notice.

The truth is the channel's item in the table. What a process saw last is only a guess at it, with which it may save a
call: it is stored on condition that it still holds, or read again before anybody acts on it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aws_lambda_powertools import Logger

from shared.domain.delivery.channel_gate import (
    MAX_TIMEOUTS,
    NO_RESPONSE,
    RATE_LIMITED,
    SPREAD,
    ChannelState,
    Granted,
    Held,
    Limits,
    PermitRequest,
    after_probe,
    decide_permits,
    limits_are_old,
    limits_learned,
    limits_requested,
    pause,
)
from shared.domain.delivery.orders import Postponed, ProviderAnswer, Unanswered
from shared.domain.vocabulary.words import Channel
from shared.messaging.metrics import count
from shared.storage.channel_gates import NEVER_SEEN, ChannelGates, ChannelStateChangedError, Seen
from shared.storage.races import BusyError, until_won

logger = Logger(child=True)

LONGEST_WAIT = timedelta(seconds=8)
"""How long an invocation may wait for permits, all its notices together. What would wait longer is put off."""

BACKLOG = timedelta(minutes=1)


class Turn(Protocol):
    """One invocation at a gate."""

    def admit(self, now: datetime) -> Held | None:
        """Wait until the provider may be called for a notice; or answer why it may not, and until when."""

    def record(self, answer: ProviderAnswer, now: datetime) -> None:
        """Record what the provider answered. Never raises: the answer itself is stored already."""


class Gate(Protocol):
    """A channel's gate."""

    def turn(self, notices: int) -> Turn:
        """Begin an invocation that brings so many notices."""


@dataclass(slots=True)
class ChannelGate:
    """A channel's gate; one for a process.

    usual: the limits where the provider hasn't given any; None: the channel has no rate. ask_limits: asks the provider.
    clock, sleep: real time.
    """

    channel: Channel
    gates: ChannelGates
    usual: Limits | None = None
    ask_limits: Callable[[], Limits | Postponed] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    _seen: Seen = NEVER_SEEN

    def turn(self, notices: int) -> Turn:
        """Begin an invocation that brings so many notices."""
        return ChannelTurn(self, notices)

    def ask(self, notices: int, max_wait: timedelta, now: datetime) -> Granted | Held:
        """Ask for permits. Raises whatever storage raises: then nothing may be sent."""
        renewed = self._renewed_limits(now)
        request = PermitRequest(notices=notices, max_wait=max_wait, now=now, clock=self.clock())
        try:
            return self._agree(lambda state: decide_permits(renewed(state), request, self.usual))
        except BusyError:
            return Held(until=now + BACKLOG, reason=RATE_LIMITED, over=BACKLOG)

    def is_stopped(self) -> bool:
        """Whether the channel is stopped: one read."""
        return self.gates.load(self.channel).state.stopped is not None

    def change(self, decide: Callable[[ChannelState], ChannelState]) -> ChannelState:
        """Change the state, and answer it."""

        def both(state: ChannelState) -> tuple[ChannelState, ChannelState]:
            after = decide(state)
            return after, after

        return self._agree(both)

    def _agree[T](self, decide: Callable[[ChannelState], tuple[ChannelState, T]]) -> T:
        """Decide on the state and store what comes of it; again from what lies there when another was quicker.

        What was seen last is a guess. A change by it is stored on condition that it still holds; without one it is
        read before anybody acts on it.
        """
        guess, _ = decide(self._seen.state)
        if guess == self._seen.state:
            self._seen = self.gates.load(self.channel)
        return until_won(lambda: self._store(decide))

    def _store[T](self, decide: Callable[[ChannelState], tuple[ChannelState, T]]) -> T:
        """Decide on the state as it was seen and store what comes of it; a lost race shows what lies there now.

        A state that doesn't say yet in which table it lies is stored in any case: a restore has to be found out by it.
        """
        seen = self._seen
        after, outcome = decide(seen.state)
        if after == seen.state and seen.written_in:
            return outcome
        try:
            self._seen = self.gates.save(self.channel, seen, after)
        except ChannelStateChangedError as lost:
            self._seen = lost.seen
            raise
        self._report(seen.state, after)
        return outcome

    def _report(self, before: ChannelState, after: ChannelState) -> None:
        """Log each pause once, and count once each time that the channel stops sending."""
        if after.pauses > before.pauses:
            facts = {"reason": after.reason, "pauses": after.pauses, "paused_until": str(after.paused_until)}
            logger.error("channel paused", extra={"channel": self.channel, **facts})
            if before.pauses == 0:
                count("ChannelPaused", channel=self.channel)
        elif before.pauses and not after.pauses:
            logger.info("channel sends again", extra={"channel": self.channel})

    def _renewed_limits(self, now: datetime) -> Callable[[ChannelState], ChannelState]:
        """Ask the provider for its limits if they are old and nobody else does; answer how they change the state."""
        if self.ask_limits is None or not limits_are_old(self._seen.state, self.clock()):
            # What was seen may be out of date, but the limits never get older than they were.
            return lambda state: state

        def first_to_ask(state: ChannelState) -> tuple[ChannelState, bool]:
            pausing = state.paused_until is not None and now < state.paused_until
            old = limits_are_old(state, self.clock()) and not pausing
            return (limits_requested(state, self.clock()), True) if old else (state, False)

        try:
            if not self._agree(first_to_ask):
                return lambda state: state
        except BusyError:
            return lambda state: state
        answer: Limits | Postponed | None = None
        try:
            answer = self.ask_limits()
        except Exception as error:  # noqa: BLE001 - sending goes on by the limits known before
            logger.warning("limits not known", extra={"channel": self.channel, "error": type(error).__name__})
        return lambda state: limits_learned(state, answer, now)


@dataclass(slots=True)
class ChannelTurn:
    """One invocation at a channel's gate. A closed gate is remembered for it, so that it costs one call a batch."""

    gate: ChannelGate
    notices: int
    _starts: list[datetime] = field(default_factory=list)
    _probing: bool = False
    _held: Held | None = None
    _waited: timedelta = timedelta(0)
    _silent: int = 0

    def admit(self, now: datetime) -> Held | None:
        """Wait until the provider may be called for a notice; or answer why it may not, and until when.

        A permit is used up by a call, not by asking: what can't be claimed leaves it to the next notice.
        """
        if self._held is not None and now < self._held.until:
            return self._held
        if not self._starts:
            outcome = self.gate.ask(self.notices, LONGEST_WAIT - self._waited, now)
            if isinstance(outcome, Held):
                self._held = outcome
                return outcome
            self._held, self._starts, self._probing = None, list(outcome.starts), outcome.probe
        self._wait_for(self._starts[0])
        return None

    def _wait_for(self, start: datetime) -> None:
        left = start - self.gate.clock()
        if left > timedelta(0):
            self._waited += left
            self.gate.sleep(left.total_seconds())

    def record(self, answer: ProviderAnswer, now: datetime) -> None:
        """Record what the provider answered. Never raises: the answer itself is stored already."""
        del self._starts[:1]
        self.notices = max(self.notices - 1, 1)
        self._silent = self._silent + 1 if isinstance(answer, Unanswered) else 0
        try:
            if self._probing:
                # Whatever comes of it, the next permit has to be asked for.
                self._hold_while_paused(self.gate.change(lambda state: after_probe(state, answer, now)))
            elif isinstance(answer, Postponed) and answer.stops_channel:
                self._stop(answer, now)
            elif self._silent >= MAX_TIMEOUTS:
                self._stop(NO_RESPONSE, now)
        except Exception as error:  # noqa: BLE001 - the notice went, or didn't, whatever becomes of the gate
            facts = {"channel": self.gate.channel, "error": type(error).__name__}
            logger.error("gate update failed", extra=facts)  # noqa: TRY400 - the type says enough

    def _stop(self, stop: Postponed, now: datetime) -> None:
        self._held = Held(until=now + stop.pause, reason=stop.reason, over=SPREAD)
        self._starts.clear()
        self._hold_while_paused(self.gate.change(lambda state: pause(state, stop, now)))

    def _hold_while_paused(self, state: ChannelState) -> None:
        if state.paused_until is not None:
            self._held = Held(until=state.paused_until, reason=state.reason, over=SPREAD)
