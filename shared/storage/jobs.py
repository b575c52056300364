"""Jobs in the due index that go through a list page by page, and note how far they came."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.records import Records
from shared.storage.writes import conditional, delete, equals, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def job_item(partition: str, sort_key: str, version: int, now: datetime) -> Item:
    """A job that begins at the head of its list. `version`: of what was changed, and so made the job necessary."""
    return {
        **items.key(partition, sort_key),
        "version": number(version),
        "due_shard": text(keys.due_shard(partition)),
        "due_at": text(keys.instant(now)),
    }


def due_job(client: "DynamoDBClient", table: str, partition: str, sort_key: str, now: datetime) -> Item | None:
    """A job whose time has come; None: there is none."""
    job = Records(client, table).item(partition, sort_key)
    return job if job and job["due_at"]["S"] <= keys.instant(now) else None


def page_of(client: "DynamoDBClient", table: str, job: Item, query: dict[str, Any]) -> Any:  # noqa: ANN401 - the client's own answer
    """The page of its list at which a job stands."""
    going_on: dict[str, Any] = {"ExclusiveStartKey": job["position"]["M"]} if "position" in job else {}
    return client.query(TableName=table, **query, **going_on)


def move_on(client: "DynamoDBClient", table: str, job: Item, position: Item | None) -> None:
    """Note where a job goes on, or take it away when its list has ended (None).

    Only if it is still the job that was read: another change has put a new one in its place, which begins anew.
    """
    same_job = equals("version", job["version"])
    if position is None:
        conditional(client, delete(table, {"pk": job["pk"], "sk": job["sk"]}, same_job))
    else:
        conditional(client, put(table, job | {"position": {"M": position}}, same_job))


def replanning_job(org_id: str, version: int, now: datetime) -> Item:
    """A job that begins at the first bill. `version`: of the organization, which accounts are to be planned by."""
    return job_item(keys.replanning(org_id), keys.ROOT, version, now)
