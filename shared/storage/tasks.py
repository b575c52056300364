"""An organization's tasks: made in the transaction of the change that calls for them, listed, and resolved once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.account.happenings import opened
from shared.domain.records.task import Task, TaskKind, TaskStatus
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.items import Item, text
from shared.storage.organizations import ORGANIZATION_INDEX
from shared.storage.outbox import outbox_writes
from shared.storage.records import Records
from shared.storage.writes import NEW, conditional, equals, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 100


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one table."""

    client: "DynamoDBClient"
    table: str

    def get(self, org_id: str, task_id: str) -> Task | None:
        """Read one task consistently; None: there is none."""
        return Records(self.client, self.table).get(Task, keys.tasks(org_id), task_id)

    def create(self, task: Task) -> bool:
        """Write a task that no account's change calls for. False: it is there already."""
        told = outbox_writes(self.table, opened(task))
        return transact(self.client, [put(self.table, items.task_item(task), NEW), *told])

    def resolve(self, task: Task) -> bool:
        """Write a task as resolved, if it is open: only one of two people settles it. False: it isn't."""
        still_open = equals("status", text(TaskStatus.OPEN))
        return conditional(self.client, put(self.table, items.task_item(task), still_open)).happened

    def page(
        self, org_id: str, status: TaskStatus | None, kind: TaskKind | None, limit: int, after: str
    ) -> tuple[list[Task], str]:
        """Tasks from the oldest, after one by its id, and the id to go on after; empty: that's all."""
        found = list[Task]()
        for task in self._from(org_id, status, after):
            if kind not in {None, task.kind}:
                continue
            if len(found) == limit:
                return found, found[-1].task_id
            found.append(task)
        return found, ""

    def _from(self, org_id: str, status: TaskStatus | None, after: str) -> Iterator[Task]:
        """All tasks after one. Those of one status are read by the index, so that the settled ones cost nothing."""
        query: dict[str, Any] = {"KeyConditionExpression": "pk = :partition AND sk > :after"}
        partition = keys.tasks(org_id)
        if status is not None:
            query = {
                "IndexName": ORGANIZATION_INDEX,
                "KeyConditionExpression": "org_pk = :partition AND org_sk > :after",
            }
            partition = keys.tasks_of_status(org_id, status)
        # Ids begin with a letter, so any is greater than a blank.
        values = {":partition": text(partition), ":after": text(after or " ")}
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.table, Limit=PAGE, ExpressionAttributeValues=values, **query, **start
            )
            rows: list[Item] = answer["Items"]
            whole = read_items(self.client, self.table, ((row["pk"]["S"], row["sk"]["S"]) for row in rows))
            # An index lags a little, so what it says is compared with the task itself.
            yield from (task for task in map(items.task_of, whole) if status in {None, task.status})
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
