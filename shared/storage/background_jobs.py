"""Jobs that wait in the due index and go through a list page by page; each notes how far it came.

They are written by `jobs.job_item` in the transaction of the change that makes them necessary.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.storage import keys
from shared.storage.items import Item, text
from shared.storage.organizations import ORGANIZATION_INDEX
from shared.storage.queue_lists import BillRow, bill_row, bill_rows
from shared.storage.records import Records
from shared.storage.set_asides import SET_ASIDE_ATTRIBUTES
from shared.storage.writes import conditional, delete, equals, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was read. version: of what was changed, and so made the job necessary."""

    version: int
    item: Item = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobPage[T]:
    """The part of its list at which a job stands. position: where it goes on; None: the list has ended."""

    rows: tuple[T, ...]
    position: Item | None


@dataclass(frozen=True, slots=True)
class BackgroundJobs:
    """The jobs of one table, and the lists that they go through."""

    client: "DynamoDBClient"
    table: str

    def replanning(self, org_id: str, now: datetime) -> Job | None:
        """The job that has an organization's accounts planned again, if its time has come."""
        return self._due(keys.replanning(org_id), keys.ROOT, now)

    def is_replanned(self, org_id: str) -> bool:
        """Whether an organization's accounts are still to be planned by its settings of now."""
        return Records(self.client, self.table).item(keys.replanning(org_id)) is not None

    def inheritance(self, partner_id: str, now: datetime) -> Job | None:
        """The job that passes a partner's defaults on to its organizations, if its time has come."""
        return self._due(keys.defaults(partner_id), keys.JOB_SORT, now)

    def bills(self, job: Job, org_id: str, limit: int) -> JobPage[BillRow]:
        """The next bills of an organization, in the order of their statement ids."""
        answer = self._page(job, bill_rows(org_id), limit)
        return JobPage(tuple(bill_row(row) for row in answer["Items"]), answer.get("LastEvaluatedKey"))

    def organizations(self, job: Job, partner_id: str, limit: int) -> JobPage[str]:
        """The ids of the next organizations of a partner, in the order of their names."""
        query = {
            "IndexName": ORGANIZATION_INDEX,
            "KeyConditionExpression": "org_pk = :partner",
            "ExpressionAttributeValues": {":partner": text(keys.organizations(partner_id))},
        }
        answer = self._page(job, query, limit)
        org_ids = tuple(keys.org_id_of(row["pk"]["S"]) for row in answer["Items"])
        return JobPage(org_ids, answer.get("LastEvaluatedKey"))

    def move_on[T](self, job: Job, done: JobPage[T]) -> None:
        """Note that a page is done: where the job goes on, or that its list has ended, and with it the job.

        Only if it is still the job that was read: another change has replaced it by a new one, which starts over.
        """
        same_job = equals("version", job.item["version"])
        if done.position is None:
            write = delete(self.table, {"pk": job.item["pk"], "sk": job.item["sk"]}, same_job)
        else:
            works = {name: value for name, value in job.item.items() if name not in SET_ASIDE_ATTRIBUTES}
            write = put(self.table, works | {"position": {"M": done.position}}, same_job)
        conditional(self.client, write)

    def _due(self, partition: str, sort_key: str, now: datetime) -> Job | None:
        item = Records(self.client, self.table).item(partition, sort_key)
        if item is None or item["due_at"]["S"] > keys.instant(now):
            return None
        return Job(int(item["version"]["N"]), item)

    def _page(self, job: Job, query: dict[str, Any], limit: int) -> Any:  # noqa: ANN401 - the client's own answer
        going_on: dict[str, Any] = {"ExclusiveStartKey": job.item["position"]["M"]} if "position" in job.item else {}
        return self.client.query(TableName=self.table, Limit=limit, **query, **going_on)
