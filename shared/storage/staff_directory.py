"""A partner's staff, each under their id."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.domain.records.audit import AuditEntry
from shared.domain.records.staff import StaffMember
from shared.storage import items, keys
from shared.storage.audit_trail import Telling, audit_writes, untold
from shared.storage.items import Item, number, text
from shared.storage.races import LostRaceError, until_won
from shared.storage.records import Records
from shared.storage.writes import NEW, delete, equals, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class StaffDirectory:
    """The staff of one table's partners."""

    client: "DynamoDBClient"
    table: str

    @property
    def _records(self) -> Records:
        return Records(self.client, self.table)

    def create(self, member: StaffMember, audit: AuditEntry | None = None) -> None:
        """Store a new person, with what tells of it (`audit`).

        One of their id is there only if the same request stored them before and then failed.
        """
        transact(self.client, [put(self.table, _item(member), NEW), *audit_writes(self.table, audit)])

    def get(self, partner_id: str, staff_id: str) -> StaffMember | None:
        """A person of a partner's; None: there is none, or they are somebody else's."""
        return self._records.get(StaffMember, keys.staff(partner_id), staff_id)

    def page(self, partner_id: str, limit: int, after: str) -> tuple[list[StaffMember], bool]:
        """Staff in the order of their ids, after one; and whether there are more."""
        answer = self.client.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={":pk": text(keys.staff(partner_id)), ":after": text(after or " ")},
            ConsistentRead=True,
            Limit=limit + 1,
        )
        page: list[Item] = list(answer["Items"])
        found = [items.unpack(StaffMember, item["body"]) for item in page]
        return found[:limit], len(found) > limit

    def change(
        self,
        partner_id: str,
        staff_id: str,
        decide: Callable[[StaffMember], StaffMember],
        audit: Telling[StaffMember] = untold,
    ) -> StaffMember | None:
        """Change a person, again when somebody else was quicker; None: there is none. Raises what `decide` does.

        `audit`: tells of it in the same transaction.
        """

        def attempt() -> StaffMember | None:
            read = self.get(partner_id, staff_id)
            if read is None:
                return None
            after = replace(decide(read), revision=read.revision + 1)
            write = put(self.table, _item(after), equals("revision", number(read.revision)))
            if not transact(self.client, [write, *audit_writes(self.table, audit(read, after))]):
                raise LostRaceError
            return after

        return until_won(attempt)

    def delete(self, partner_id: str, staff_id: str, audit: Telling[StaffMember] = untold) -> bool:
        """Delete a person as they were read, with what tells of it (`audit`). False: there is none."""

        def attempt() -> bool:
            read = self.get(partner_id, staff_id)
            if read is None:
                return False
            key = items.key(keys.staff(partner_id), staff_id)
            write = delete(self.table, key, equals("revision", number(read.revision)))
            if not transact(self.client, [write, *audit_writes(self.table, audit(read, None))]):
                raise LostRaceError
            return True

        return until_won(attempt)


def _item(member: StaffMember) -> Item:
    """`N#`: a person who works for a partner."""
    return {
        **items.key(keys.staff(member.partner_id), member.staff_id),
        "revision": number(member.revision),
        "body": items.pack(StaffMember, member),
    }
