"""Single items read and written by key: a body and a few attributes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.storage import attributes, keys
from shared.storage.attributes import Item
from shared.storage.writes import Condition, conditional, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Records:
    """The table's single items."""

    client: "DynamoDBClient"
    table: str

    def get[T](self, kind: type[T], pk: str, sk: str = keys.ROOT) -> T | None:
        """Read one item's body consistently; None: there is none."""
        item = self.item(pk, sk)
        return attributes.unpack(kind, item["body"]) if item else None

    def item(self, pk: str, sk: str = keys.ROOT) -> Item | None:
        """Read one item as it lies in the table; None: there is none."""
        answer = self.client.get_item(TableName=self.table, Key=attributes.key(pk, sk), ConsistentRead=True)
        return answer.get("Item")

    def put(self, item: Item, condition: Condition | None = None) -> bool:
        """Write one item. False: its condition didn't hold."""
        return conditional(self.client, put(self.table, item, condition)).happened
