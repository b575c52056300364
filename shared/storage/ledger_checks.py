"""How far the day's check of the ledger has come, so that any number of runs do it together, a page at a time."""

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from shared.storage import items, keys
from shared.storage.items import number, text
from shared.storage.queue_lists import Position
from shared.storage.records import Records
from shared.storage.writes import NEW, Attribute, conditional, equals, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlace:
    """Where a day's check stands. org_id, after: the organization and the place among its bills to go on from.

    done: it came to the end. revision: counts the writes; 0: nothing was ever written.
    """

    day: date
    org_id: str = ""
    after: Position | None = None
    done: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class LedgerChecks:
    """The check of one table."""

    client: "DynamoDBClient"
    table: str

    def load(self) -> CheckPlace | None:
        """Where the last check stands; None: there never was one."""
        item = Records(self.client, self.table).item(keys.ledger_check())
        if item is None:
            return None
        after = json.loads(item["after"]["S"])
        return CheckPlace(
            day=date.fromisoformat(item["day"]["S"]),
            org_id=item["org_id"]["S"],
            after=tuple(after) if after else None,
            done=item["done"]["BOOL"],
            revision=int(item["revision"]["N"]),
        )

    def move_on(self, place: CheckPlace) -> bool:
        """Note a later place. False: another run has noted one since this was read, and goes on."""
        as_read = equals("revision", number(place.revision)) if place.revision else NEW
        values: dict[str, Attribute] = {
            ":day": text(place.day.isoformat()),
            ":org_id": text(place.org_id),
            ":after": text(json.dumps(place.after)),
            ":done": {"BOOL": place.done},
            ":next": number(place.revision + 1),
        }
        change = "SET #day = :day, org_id = :org_id, #after = :after, done = :done, revision = :next"
        write = update(self.table, items.key(keys.ledger_check()), change, values, as_read)
        write["Update"].setdefault("ExpressionAttributeNames", {}).update({"#day": "day", "#after": "after"})
        return conditional(self.client, write).happened
