"""Stopping the channels by hand, and letting them go: it stands in each channel's gate, which every worker asks anyway.

So a stop costs no call of a notice's own, and holds from the next batch on, for whoever goes by an older state can't
store what it decides on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.delivery.channel_gate import (
    ChannelState,
    Stop,
    after_replay,
    let_go,
    not_replayed,
    stop_channel,
)
from shared.domain.vocabulary.words import Channel
from shared.storage.channel_gates import ChannelGates
from shared.storage.races import until_won


class NotReplayedError(Exception):
    """The table was restored, and what was sent since isn't replayed into it: nothing may go."""


@dataclass(frozen=True, slots=True)
class Stops:
    """Which channels are stopped."""

    gates: ChannelGates

    def all(self) -> dict[Channel, Stop]:
        """The channels that are stopped now: one read of each. In a restored table all are, as soon as one says so."""
        states = {channel: self.gates.load(channel).state for channel in Channel}
        if any(_is_restored(state) for state in states.values()):
            states = {channel: not_replayed(state) for channel, state in states.items()}
        return {channel: state.stopped for channel, state in states.items() if state.stopped}

    def stop(self, now: datetime, why: str) -> None:
        """Stop all channels. Doing it again, after a crash between two of them, leaves those that are stopped."""
        self._each(lambda state: stop_channel(state, now, why))

    def replayed(self, now: datetime) -> None:
        """Note that what was sent since a restore is in the table by now. All stay stopped until they are let go."""
        self._each(lambda state: after_replay(state, now), as_own=True)

    def go(self) -> None:
        """Let all channels go. Raises NotReplayedError in a restored table that isn't replayed."""
        if any(stop.restored for stop in self.all().values()):
            raise NotReplayedError
        self._each(let_go)

    def _each(self, decide: Callable[[ChannelState], ChannelState], *, as_own: bool = False) -> None:
        for channel in Channel:

            def attempt(channel: Channel = channel) -> None:
                seen = self.gates.load(channel)
                after = decide(seen.state)
                if after != seen.state or (as_own and seen.written_in != self.gates.table):
                    self.gates.save(channel, seen, after, as_own=as_own)

            until_won(attempt)


def _is_restored(state: ChannelState) -> bool:
    return state.stopped is not None and state.stopped.restored
