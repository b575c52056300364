"""How many requests a partner may make: counted in the table, a block at a time (docs/decisions/0070-throttling.md)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.storage import keys
from shared.storage.attributes import key, number
from shared.storage.writes import absent, below, conditional, equals, showing_what_is_there, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WINDOW_SECONDS = 10
"""How long the stretch of time is in which requests are counted together."""

MOST_REQUESTS = 1_000
"""How many requests a partner may make within a window."""

UNCOUNTED = 10
"""How many of a window a process lets pass by itself, so that ordinary traffic writes nothing."""

BLOCK = 10
"""How many more a process takes from the table at once."""


@dataclass(slots=True)
class Permits:
    """What a process may still let pass of a partner in a window. begins: its first second, since 1970."""

    begins: int
    left: int = UNCOUNTED


@dataclass(frozen=True, slots=True)
class RequestPermits:
    """The counts of one table, and what this process has taken from them."""

    client: "DynamoDBClient"
    table: str
    taken: dict[str, Permits] = field(default_factory=dict)

    def seconds_to_wait(self, partner_id: str, at: datetime) -> int:
        """Count a request that came at a time. 0: it may pass; else in how many seconds the next may."""
        second = int(at.astimezone(UTC).timestamp())
        begins = second - second % WINDOW_SECONDS
        permits = self.taken.get(partner_id)
        if permits is None or permits.begins < begins:
            permits = self.taken[partner_id] = Permits(begins)
        if not permits.left:
            if not self._take(partner_id, begins):
                return begins + WINDOW_SECONDS - second
            permits.left = BLOCK
        permits.left -= 1
        return 0

    def _take(self, partner_id: str, begins: int) -> bool:
        """Take a block of a window's permits. False: none are left.

        The conditions close the race of processes that take at once: no window gives out more than it has, and but for
        the first block none begins it anew. A request of a window that is over already passes uncounted.
        """
        item, window, block = key(keys.requests(partner_id)), number(begins), {":block": number(BLOCK)}
        here = equals("window_begins", window) & below("taken", number(MOST_REQUESTS))
        more = update(self.table, item, "SET taken = taken + :block", block, here)
        outcome = conditional(self.client, showing_what_is_there(more))
        if outcome.happened:
            return True
        counted = int(outcome.there["window_begins"]["N"]) if outcome.there else 0
        if counted >= begins:
            return counted > begins
        values = {":begins": window, **block}
        older = absent("window_begins") | below("window_begins", window)
        first = update(self.table, item, "SET window_begins = :begins, taken = :block", values, older)
        return conditional(self.client, first).happened or conditional(self.client, more).happened
