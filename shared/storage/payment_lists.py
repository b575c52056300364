"""An organization's payments, by the day that each was received."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.records.payment import Payment
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.items import text
from shared.storage.organizations import ORGANIZATION_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAYMENTS_A_QUERY = 100


class PaymentRow(NamedTuple):
    """A payment, and whose it is."""

    account_id: str
    payment: Payment

    @property
    def place(self) -> str:
        """Where it stands in the list, for going on after it."""
        return keys.payment_place(self.payment.received_on, self.payment.payment_id)


@dataclass(frozen=True, slots=True)
class PaymentLists:
    """The payments of one table."""

    client: "DynamoDBClient"
    table: str

    def page(
        self, org_id: str, first: date, last: date, keeps: Callable[[PaymentRow], bool], limit: int, after: str
    ) -> tuple[list[PaymentRow], str]:
        """Payments received from the first day to the last, oldest first, and the place to go on after; "": that's all.

        Those posted before there were such lists aren't in them; their accounts have them.
        """
        found = list[PaymentRow]()
        for row in self._rows(org_id, max(after, first.isoformat()), last):
            if not keeps(row):
                continue
            if len(found) == limit:
                return found, found[-1].place
            found.append(row)
        return found, ""

    def _rows(self, org_id: str, after: str, last: date) -> Iterator[PaymentRow]:
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.table,
                IndexName=ORGANIZATION_INDEX,
                KeyConditionExpression="org_pk = :payments AND org_sk BETWEEN :after AND :last",
                ExpressionAttributeValues={
                    ":payments": text(keys.payments(org_id)),
                    ":after": text(after),
                    ":last": text(f"{last.isoformat()}#~"),
                },
                Limit=PAYMENTS_A_QUERY,
                **start,
            )
            rows = answer["Items"]
            whole = read_items(self.client, self.table, ((row["pk"]["S"], row["sk"]["S"]) for row in rows))
            for item in whole:
                row = PaymentRow(keys.account_id_of(item["pk"]["S"]), items.unpack(Payment, item["body"]))
                if row.place > after:
                    yield row
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
