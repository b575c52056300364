"""Stopping the channels by hand, and letting them go: it stands in each channel's gate, which every worker asks anyway.

So a stop costs no call of a notice's own, and holds from the next batch on, for whoever goes by an older state can't
store what it decides on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.delivery.channel_gate import ChannelState, Stop, let_go, stop_channel
from shared.domain.vocabulary.words import Channel
from shared.storage.channel_gates import ChannelGates
from shared.storage.races import until_won


@dataclass(frozen=True, slots=True)
class Stops:
    """Which channels are stopped."""

    gates: ChannelGates

    def all(self) -> dict[Channel, Stop]:
        """The channels that are stopped now: one read of each."""
        states = {channel: self.gates.load(channel).state for channel in Channel}
        return {channel: state.stopped for channel, state in states.items() if state.stopped}

    def stop(self, now: datetime, why: str) -> None:
        """Stop all channels. Doing it again, after a crash between two of them, leaves those that are stopped."""
        self._each(lambda state: stop_channel(state, now, why))

    def go(self) -> None:
        """Let all channels go."""
        self._each(let_go)

    def _each(self, decide: Callable[[ChannelState], ChannelState]) -> None:
        for channel in Channel:

            def attempt(channel: Channel = channel) -> None:
                seen = self.gates.load(channel)
                after = decide(seen.state)
                if after != seen.state:
                    self.gates.save(channel, seen, after)

            until_won(attempt)
