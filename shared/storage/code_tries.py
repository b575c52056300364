"""How often bill codes were tried. Addresses and codes are in no key: a keyed hash of them is, another each window."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.paying.code_tries import CountedTry, counted_tries, window_end
from shared.storage import items, keys
from shared.storage.items import number
from shared.storage.writes import absent, below, conditional, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CodeTries:
    """The tries of bill codes in one table. key: what they are hashed with; asked for at the first one."""

    client: "DynamoDBClient"
    table: str
    key: Callable[[], bytes]

    def refused_until(self, address: str, code: str, now: datetime) -> datetime | None:
        """Count a try of a normalized code from an address. None: it may be looked up; else until when none may be."""
        ends = window_end(now)
        admitted = all(self._counted(counted, ends) for counted in counted_tries(address, code))
        return None if admitted else ends

    def _counted(self, counted: CountedTry, ends: datetime) -> bool:
        """Whether one more try is within the limit.

        The condition closes the race of tries at once, of which no more may pass than one after the other.
        """
        said = f"{counted.what} {counted.value} {keys.instant(ends)}"
        hashed = hmac.new(self.key(), said.encode(), hashlib.sha256).hexdigest()
        change = "SET expires_at = :expires_at ADD tries :one"
        values = {":expires_at": number(int(ends.timestamp())), ":one": number(1)}
        within = absent("tries") | below("tries", number(counted.most))
        return conditional(
            self.client, update(self.table, items.key(keys.code_tries(hashed)), change, values, within)
        ).happened
