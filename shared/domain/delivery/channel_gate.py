"""Whether a channel may send at the moment, and how fast: one state, shared by all its workers.

A channel pauses when its provider takes nothing at all from us: the account is suspended, its daily quota is used up,
we have no access. When the pause is over one worker probes with a single notice; if that goes, the channel is open
again, else the next pause is longer.

The rate is a bucket of permissions that fills as fast as the provider takes messages and holds one second's worth. A
worker takes permissions for its whole batch at once, each with the instant from which it holds.

Two clocks: pauses go by the product's time (`now`), which a test stack may simulate; the bucket by real time (`clock`),
because a provider's rate is real.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.delivery.orders import Accepted, Postponed, ProviderAnswer, Rejected
from shared.domain.vocabulary.spreading import spread

PAUSES = timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30)
"""How long the first pause, the next, and any later one in a row lasts at least."""

SPREAD = timedelta(minutes=5)
"""How far apart the notices come back that waited for the end of a pause."""

PROBE = timedelta(minutes=2)
"""How long a probe may take before another worker may make one: longer than a function lives."""

REFRESHED = timedelta(minutes=15)
"""How old the limits that a provider told us may be."""

QUOTA_USED_UP = Postponed(
    reason="the provider's daily quota is used up", pause=timedelta(hours=1), spread=SPREAD, stops_channel=True
)
MONTH_USED_UP = Postponed(
    reason="the provider's monthly quota is used up", pause=timedelta(hours=6), spread=SPREAD, stops_channel=True
)
"""Only heard of afterwards (docs/events.md), so the probe that ends such a pause always looks as if it went."""
NO_WORD = Postponed(reason="the provider doesn't answer", pause=PAUSES[0], spread=SPREAD, stops_channel=True)
SILENCE = 3
"""After so many calls in a row without an answer a worker pauses the channel: each leaves a notice that is Unknown."""

AT_THE_RATE = "waits for its turn at the provider's rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider takes: messages a second, and how many more today; None: as many as we like."""

    per_second: float
    left_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """What all workers of a channel go by.

    paused_until, reason: while it is set the channel sends nothing; once it is over, nothing but a probe. pauses: how
    many there were in a row. probe_until: a worker is probing. free_at: from when the next permission holds (clock).
    crowded_until: up to when those come back that found no permission (clock). limits_read_at: when somebody last went
    to ask for the limits (clock).
    """

    paused_until: datetime | None = None
    reason: str = ""
    pauses: int = 0
    probe_until: datetime | None = None
    free_at: datetime | None = None
    crowded_until: datetime | None = None
    limits: Limits | None = None
    limits_read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Permissions to call the provider, each from an instant on (clock). probe: one, to find out whether it sends."""

    starts: tuple[datetime, ...]
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Nothing is sent: notices wait until then (product time), spread over a stretch after it."""

    until: datetime
    reason: str
    over: timedelta = timedelta(0)

    def instant(self, notice_id: str) -> datetime:
        """When a notice is to come back."""
        return self.until + spread(notice_id, self.over)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a worker asks for: permissions for so many notices, none that would make it wait longer than `patience`."""

    notices: int
    patience: timedelta
    now: datetime
    clock: datetime


def answer_wish(state: ChannelState, wish: Wish, usual: Limits | None) -> tuple[ChannelState, Granted | Held]:
    """The state after a worker asked, and what it is given. It counts only once that state is stored.

    usual: the limits where the provider hasn't told any; None: the channel has no rate.
    """
    if state.paused_until is not None:
        return _while_paused(state, state.paused_until, wish)
    limits = state.limits or usual
    if limits is None:
        return state, Granted(starts=(wish.clock,) * wish.notices)
    if limits.left_today == 0:
        paused = pause(state, QUOTA_USED_UP, wish.now)
        return _while_paused(paused, paused.paused_until or wish.now, wish)
    return _from_bucket(state, limits, wish)


def _while_paused(state: ChannelState, until: datetime, wish: Wish) -> tuple[ChannelState, Granted | Held]:
    if wish.now < until:
        return state, Held(until=until, reason=state.reason, over=SPREAD)
    if state.probe_until is not None and wish.now < state.probe_until:
        return state, Held(until=state.probe_until, reason=state.reason, over=SPREAD)
    return replace(state, probe_until=wish.now + PROBE), Granted(starts=(wish.clock,), probe=True)


def _from_bucket(state: ChannelState, limits: Limits, wish: Wish) -> tuple[ChannelState, Granted | Held]:
    """Permissions follow each other at the rate; an idle bucket has kept those of the last second, at least one."""
    gap = timedelta(seconds=1 / limits.per_second)
    full = wish.clock - max(timedelta(seconds=1) - gap, timedelta(0))
    first = max(state.free_at or full, full)
    most = wish.notices if limits.left_today is None else min(wish.notices, limits.left_today)
    starts = tuple(start for start in (first + n * gap for n in range(most)) if start <= wish.clock + wish.patience)
    if not starts:
        turn = max(state.crowded_until or first, first)
        crowded = replace(state, crowded_until=turn + wish.notices * gap)
        return crowded, Held(until=wish.now + (turn - wish.clock), reason=AT_THE_RATE, over=wish.notices * gap)
    taken = replace(state, free_at=first + len(starts) * gap)
    if limits.left_today is not None:
        taken = replace(taken, limits=replace(limits, left_today=limits.left_today - len(starts)))
    return taken, Granted(starts=starts)


def pause(state: ChannelState, stop: Postponed, now: datetime) -> ChannelState:
    """The state once a provider said that it takes nothing. Who says so while the channel pauses changes nothing."""
    if state.paused_until is not None and now < state.paused_until:
        return state
    pauses = state.pauses + 1
    length = max(stop.pause, _length(pauses))
    return replace(state, paused_until=now + length, reason=stop.reason, pauses=pauses, probe_until=None)


def after_probe(state: ChannelState, answer: ProviderAnswer, now: datetime) -> ChannelState:
    """The state once a probe was answered: open where the provider dealt with the message.

    An answer that says neither, such as none at all, leaves the channel paused for as long as before.
    """
    match answer:
        case Accepted() | Rejected():
            spent = state.limits is not None and state.limits.left_today == 0
            known = _with_no_count(state) if spent else state
            return replace(known, paused_until=None, reason="", pauses=0, probe_until=None)
        case Postponed(stops_channel=True):
            return pause(state, answer, now)
        case _:
            return replace(state, paused_until=now + _length(state.pauses), probe_until=None)


def limits_are_old(state: ChannelState, clock: datetime) -> bool:
    """Whether the provider is to be asked for its limits; whoever stores `asking` first asks."""
    return state.limits_read_at is None or clock - state.limits_read_at >= REFRESHED


def asking(state: ChannelState, clock: datetime) -> ChannelState:
    """The state while a worker asks the provider for its limits, so that no other does."""
    return replace(state, limits_read_at=clock)


def told(state: ChannelState, word: Limits | Postponed | None, now: datetime) -> ChannelState:
    """The state once the provider was asked for its limits: it told them, or that it is stopped, or (None) nothing.

    A count of messages left that can't be renewed isn't believed any longer, so that it can't stop the channel for
    good.
    """
    if isinstance(word, Postponed):
        return pause(state, word, now)
    if word is None:
        return _with_no_count(state)
    known = replace(state, limits=word)
    return pause(known, QUOTA_USED_UP, now) if word.left_today == 0 else known


def _with_no_count(state: ChannelState) -> ChannelState:
    """The state without the count of messages left today, which can't be true or can't be renewed."""
    return replace(state, limits=replace(state.limits, left_today=None)) if state.limits else state


def _length(pauses: int) -> timedelta:
    return PAUSES[min(max(pauses, 1), len(PAUSES)) - 1]
