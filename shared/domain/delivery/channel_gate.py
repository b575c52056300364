"""Whether a channel may send at the moment, and how fast: one state, shared by all its workers.

A channel pauses when its provider takes nothing at all from us: the account is suspended, its daily quota is used up,
we have no access. When the pause is over one worker probes with a single notice; if that goes, the channel is open
again, else the next pause is longer.

The rate is a bucket of permits that fills as fast as the provider takes messages and holds one second's worth. A
worker takes permits for its whole batch at once, each with the instant from which it holds.

Two clocks: pauses go by the product's time (`now`), which a test stack may simulate; the bucket by real time (`clock`),
because a provider's rate is real.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.delivery.orders import Accepted, Postponed, ProviderAnswer, Rejected
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.spreading import spread

PAUSES = timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30)
"""How long the first pause, the next, and any later one in a row lasts at least."""

SPREAD = timedelta(minutes=5)
"""How far apart the notices are tried again that waited for the end of a pause."""

WAITING_PER_SECOND = 20.0
"""At most how many a second of those that waited for the end of a pause are tried again; fewer where the rate is lower.

So a day of waiting costs at most 1.7 million moves, however many notices wait and however often the pause is renewed.
"""

PROBE = timedelta(minutes=2)
"""How long a probe may take before another worker may make one: longer than a function lives."""

REFRESHED = timedelta(minutes=15)
"""How old the limits that a provider gave may be."""

QUOTA_USED_UP = Postponed(
    reason="the provider's daily quota is used up", pause=timedelta(hours=1), spread=SPREAD, stops_channel=True
)
MONTH_USED_UP = Postponed(
    reason="the provider's monthly quota is used up", pause=timedelta(hours=6), spread=SPREAD, stops_channel=True
)
"""Only reported afterwards (docs/events.md), so the probe that ends such a pause always looks as if it succeeded."""
NO_RESPONSE = Postponed(reason="the provider doesn't answer", pause=PAUSES[0], spread=SPREAD, stops_channel=True)
MAX_TIMEOUTS = 3
"""After so many calls in a row without an answer a worker pauses the channel: each leaves a notice that is Unknown."""

STOPPED_BY_OPERATOR = "sending is stopped by an operator"

NOT_REPLAYED = "the table was restored, and what was sent since isn't replayed"

REPLAYED = "the table was restored; what was sent since is replayed"

STOPPED_FOR = timedelta(minutes=5)
"""How long a notice is put off that a stopped channel was given. It stays due from then on until the channel goes."""

RATE_LIMITED = "waits for its turn at the provider's rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider takes: messages a second, and how many more today; None: as many as we like."""

    per_second: float
    left_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A channel is stopped: since when, and why, in an operator's words, which are never logged.

    restored: its table was restored and doesn't know yet what was sent since. since: None: by that alone.
    """

    since: datetime | None
    why: str
    restored: bool = False

    @property
    def reason(self) -> str:
        """What a notice that it holds back says of it."""
        return NOT_REPLAYED if self.restored else STOPPED_BY_OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState(StoredRecord):
    """What all workers of a channel go by.

    paused_until, reason: while it is set the channel sends nothing; once it is over, nothing but a probe. pauses: how
    many there were in a row. probe_until: a worker is probing. free_at: from when the next permit holds (clock).
    backlog_until: up to when those are tried again that got no permit (clock). limits_read_at: when a worker last asked
    for the limits (clock). line_until: up to when those are tried again, one after the other, that came
    up while the channel was paused (product time). stopped: while that is set nothing goes, not even a probe.
    """

    paused_until: datetime | None = None
    reason: str = ""
    pauses: int = 0
    probe_until: datetime | None = None
    free_at: datetime | None = None
    backlog_until: datetime | None = None
    limits: Limits | None = None
    limits_read_at: datetime | None = None
    stopped: Stop | None = None
    line_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Permits to call the provider, each from an instant on (clock). probe: one, to find out whether it sends."""

    starts: tuple[datetime, ...]
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Nothing is sent: notices wait until then (product time), spread over a stretch after it."""

    until: datetime
    reason: str
    over: timedelta = timedelta(0)

    def instant(self, notice_id: str) -> datetime:
        """When a notice is tried again."""
        return self.until + spread(notice_id, self.over)


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRequest:
    """What a worker asks for: permits for so many notices, none that would make it wait longer than `max_wait`."""

    notices: int
    max_wait: timedelta
    now: datetime
    clock: datetime


def decide_permits(
    state: ChannelState, request: PermitRequest, usual: Limits | None
) -> tuple[ChannelState, Granted | Held]:
    """The state after a worker asked, and what it is given. It counts only once that state is stored.

    usual: the limits where the provider hasn't given any; None: the channel has no rate.
    """
    if state.stopped is not None:
        return state, Held(until=request.now + STOPPED_FOR, reason=state.stopped.reason, over=SPREAD)
    limits = state.limits or usual
    if state.paused_until is not None:
        return _while_paused(state, state.paused_until, request, limits)
    if limits is None:
        return state, Granted(starts=(request.clock,) * request.notices)
    if limits.left_today == 0:
        paused = pause(state, QUOTA_USED_UP, request.now)
        return _while_paused(paused, paused.paused_until or request.now, request, limits)
    return _from_bucket(state, limits, request)


def _while_paused(
    state: ChannelState, until: datetime, request: PermitRequest, limits: Limits | None
) -> tuple[ChannelState, Granted | Held]:
    if request.now < until:
        return _in_line(state, until, request, limits)
    if state.probe_until is not None and request.now < state.probe_until:
        return state, Held(until=state.probe_until, reason=state.reason, over=SPREAD)
    return replace(state, probe_until=request.now + PROBE), Granted(starts=(request.clock,), probe=True)


def _in_line(
    state: ChannelState, until: datetime, request: PermitRequest, limits: Limits | None
) -> tuple[ChannelState, Held]:
    """A place in the line of those that wait for the end of the pause, which is as long as it would take to send them.

    Were all tried again at each end of a pause, a long one would move each of them every half hour.
    """
    if limits is None:
        return state, Held(until=until, reason=state.reason, over=SPREAD)
    place = max(state.line_until or until, until)
    stretch = timedelta(seconds=request.notices / min(limits.per_second, WAITING_PER_SECOND))
    return replace(state, line_until=place + stretch), Held(until=place, reason=state.reason, over=max(stretch, SPREAD))


def _from_bucket(state: ChannelState, limits: Limits, request: PermitRequest) -> tuple[ChannelState, Granted | Held]:
    """Permits follow each other at the rate; an idle bucket has kept those of the last second, at least one."""
    gap = timedelta(seconds=1 / limits.per_second)
    full = request.clock - max(timedelta(seconds=1) - gap, timedelta(0))
    first = max(state.free_at or full, full)
    most = request.notices if limits.left_today is None else min(request.notices, limits.left_today)
    starts = tuple(
        start for start in (first + n * gap for n in range(most)) if start <= request.clock + request.max_wait
    )
    if not starts:
        turn = max(state.backlog_until or first, first)
        put_off = replace(state, backlog_until=turn + request.notices * gap)
        return put_off, Held(
            until=request.now + (turn - request.clock), reason=RATE_LIMITED, over=request.notices * gap
        )
    taken = replace(state, free_at=first + len(starts) * gap)
    if limits.left_today is not None:
        taken = replace(taken, limits=replace(limits, left_today=limits.left_today - len(starts)))
    return taken, Granted(starts=starts)


def stop_channel(state: ChannelState, now: datetime, why: str) -> ChannelState:
    """The state once an operator stopped the channel (docs/rules.md#stop-and-go). The first stop's reason stays."""
    known = state.stopped
    if known and known.since:
        return state
    return replace(state, stopped=Stop(since=now, why=why, restored=known is not None and known.restored))


def not_replayed(state: ChannelState) -> ChannelState:
    """The state as it is in a table that was restored: stopped until it is replayed (docs/rules.md#restored-table)."""
    known = state.stopped or Stop(since=None, why=NOT_REPLAYED)
    return replace(state, stopped=replace(known, restored=True))


def after_replay(state: ChannelState, now: datetime) -> ChannelState:
    """The state once what was sent since is in the restored table: stopped still, until an operator lets it go."""
    stop = state.stopped if state.stopped and state.stopped.since else Stop(since=now, why=REPLAYED)
    return replace(state, stopped=replace(stop, restored=False))


def let_go(state: ChannelState) -> ChannelState:
    """The state once an operator let the channel go again: as it was before, paused if it was paused."""
    return replace(state, stopped=None)


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
    """Whether the provider is to be asked for its limits; whoever stores `limits_requested` first asks."""
    return state.limits_read_at is None or clock - state.limits_read_at >= REFRESHED


def limits_requested(state: ChannelState, clock: datetime) -> ChannelState:
    """The state while a worker asks the provider for its limits, so that no other does."""
    return replace(state, limits_read_at=clock)


def limits_learned(state: ChannelState, answer: Limits | Postponed | None, now: datetime) -> ChannelState:
    """The state once the provider was asked for its limits: it gave them, or is stopped, or (None) didn't answer.

    A count of messages left that can't be renewed isn't believed any longer, so that it can't stop the channel for
    good.
    """
    if isinstance(answer, Postponed):
        return pause(state, answer, now)
    if answer is None:
        return _with_no_count(state)
    known = replace(state, limits=answer)
    return pause(known, QUOTA_USED_UP, now) if answer.left_today == 0 else known


def _with_no_count(state: ChannelState) -> ChannelState:
    """The state without the count of messages left today, which can't be true or can't be renewed."""
    return replace(state, limits=replace(state.limits, left_today=None)) if state.limits else state


def _length(pauses: int) -> timedelta:
    return PAUSES[min(max(pauses, 1), len(PAUSES)) - 1]
