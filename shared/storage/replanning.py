"""Marks accounts to be planned anew, because something that all of them are planned by has changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.storage import keys
from shared.storage.items import number, text
from shared.storage.queue_lists import QueueLists

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Replanning:
    """Replans the accounts of one table."""

    client: "DynamoDBClient"
    table: str

    def of_organization(self, org_id: str, now: datetime) -> int:
        """Mark every account of an organization that owes something, and answer how many there were.

        Marking twice is harmless, so whoever is interrupted starts again.
        """
        return sum(
            self._mark(org_id, account_id, now)
            for account_id in QueueLists(self.client, self.table).accounts_with_open_bills(org_id)
        )

    def _mark(self, org_id: str, account_id: str, now: datetime) -> bool:
        """Put an account into the due index as of now.

        The version rises, so that a change decided before the mark is decided again and can't write over it.
        """
        partition = keys.collection(org_id, account_id)
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(partition), "sk": text(keys.ACCOUNT)},
                UpdateExpression="SET due_shard = :shard, due_at = :now, version = version + :one",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={
                    ":shard": text(keys.due_shard(partition)),
                    ":now": text(keys.instant(now)),
                    ":one": number(1),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
