"""The ledger row of one notice, moved by conditional writes through its statuses.

Each move states the status, attempt and number of moves that it starts from, so that of two workers at one row only
one succeeds. The moves, one history entry each, tell apart what status and attempt can't: two schedulers that give the
same ended lease back, each to a queue message of its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.domain.delivery.claim_records import ClaimRecord
from shared.domain.records.account import Account
from shared.domain.records.notice import Notice
from shared.domain.records.payment_link import PaymentLink
from shared.storage import items, keys
from shared.storage.claim_records import beside_write
from shared.storage.items import Item, number, text
from shared.storage.transactions import put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STILL_AS_READ = "#status = :status AND attempt = :attempt AND moves = :moves"


@dataclass(frozen=True, slots=True)
class Notices:
    """The ledger rows of one table."""

    client: "DynamoDBClient"
    table: str

    def load(self, org_id: str, account_id: str, notice_id: str) -> Notice | None:
        """Read one row consistently; None: there is none."""
        answer = self.client.get_item(
            TableName=self.table,
            Key=_key(org_id, account_id, notice_id),
            ConsistentRead=True,
        )
        item: Item | None = answer.get("Item")
        return items.notice_of(item) if item else None

    def move(self, before: Notice, after: Notice) -> bool:
        """Write a row's next state on condition that it is still as it was read. False: somebody else moved it."""
        condition, names, values = _still_as(before)
        try:
            self.client.put_item(
                TableName=self.table,
                Item=items.notice_item(after),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                "ConditionalCheckFailedException",
                "TransactionConflictException",
            }:
                return False
            raise
        return True

    def claim(
        self,
        before: Notice,
        after: Notice,
        account: Account,
        links: tuple[PaymentLink, ...],
        beside: tuple[ClaimRecord, ...] = (),
    ) -> bool:
        """Take a notice for sending, with the links it will carry, on condition that account and row are as judged.

        `beside` are further facts that must be known as soon as the provider may have the message.

        The account's version is raised in the same transaction. That closes two races: a payment or opt-out recorded
        after the judgement makes the claim fail, and one decided before the claim but written after it fails instead.
        False: something changed, judge again.
        """
        condition, names, values = _still_as(before)
        take = put(self.table, items.notice_item(after), condition, values)
        take["Put"]["ExpressionAttributeNames"] = names
        judged = {
            "Update": {
                "TableName": self.table,
                "Key": {
                    "pk": text(keys.collection(account.org_id, account.account_id)),
                    "sk": text(keys.ROOT),
                },
                "UpdateExpression": "SET version = :next",
                "ConditionExpression": "version = :judged",
                "ExpressionAttributeValues": {
                    ":judged": number(account.version),
                    ":next": number(account.version + 1),
                },
            }
        }
        writes = [take, judged]
        for link in links:
            writes += [put(self.table, item) for item in (items.link_item(link), *items.link_pointers(link))]
        writes += [beside_write(self.table, fact) for fact in beside]
        return transact(self.client, writes)


def _key(org_id: str, account_id: str, notice_id: str) -> Item:
    return {"pk": text(keys.collection(org_id, account_id)), "sk": text(f"{keys.NOTICE}{notice_id}")}


def _still_as(before: Notice) -> tuple[str, dict[str, str], dict[str, Any]]:
    values = {
        ":status": text(before.status),
        ":attempt": number(before.attempt),
        ":moves": number(len(before.status_history)),
    }
    return STILL_AS_READ, {"#status": "status"}, values
