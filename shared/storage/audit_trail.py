"""The audit trail of each partner: entries are written with what they tell of, and never changed or taken back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.records.audit import KEPT_FOR, AuditEntry
from shared.storage import items, keys
from shared.storage.items import Item, text
from shared.storage.writes import NEW, Write, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENTRIES_A_PAGE = 100

type Telling[T] = Callable[[T | None, T | None], AuditEntry | None]
"""What the trail will have of a change from one state to the other, as they turn out to be; None: there was none, or
is none any more."""


def untold(_before: object, _after: object) -> None:
    """Nothing is told: what the system does by itself is no change of a partner's."""


def audit_write(table: str, entry: AuditEntry) -> Write:
    """The part of a change's transaction that tells of it: neither is ever without the other."""
    item = {
        **items.key(keys.audit_trail(entry.partner_id), keys.audit_entry(entry.at, entry.audit_id)),
        "subject": text(entry.subject),
        "expires_at": items.number(int((entry.at + KEPT_FOR).timestamp())),
        "body": items.pack(AuditEntry, entry),
    }
    return put(table, item, NEW)


def audit_writes(table: str, *entries: AuditEntry | None) -> list[Write]:
    """The part of a change's transaction that tells of it, where there is something to tell."""
    return [audit_write(table, entry) for entry in entries if entry]


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The audit trails of one table."""

    client: "DynamoDBClient"
    table: str

    def page(
        self, partner_id: str, since: datetime, until: datetime, subject: str, limit: int, before: str
    ) -> tuple[list[AuditEntry], str]:
        """A partner's entries from one instant on and before another, newest first, and where to go on; "": that's all.

        subject: of this subject only; "": whichever. before: where the page before ended; "": from the newest.
        """
        found, last = list[AuditEntry](), ""
        for place, entry in self._entries(partner_id, keys.instant(since), before or keys.instant(until)):
            if subject not in {"", entry.subject} or place == before:
                continue
            if len(found) == limit:
                return found, last
            found.append(entry)
            last = place
        return found, ""

    def _entries(self, partner_id: str, first: str, last: str) -> Iterator[tuple[str, AuditEntry]]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :trail AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":trail": text(keys.audit_trail(partner_id)),
                ":first": text(first),
                ":last": text(last),
            },
            "ScanIndexForward": False,
            "Limit": ENTRIES_A_PAGE,
        }
        while True:
            answer = self.client.query(TableName=self.table, **query)
            rows: list[Item] = answer["Items"]
            for item in rows:
                yield item["sk"]["S"], items.unpack(AuditEntry, item["body"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
