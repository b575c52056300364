"""Jobs in the due index that go through a list page by page, and note how far they came."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.storage import keys
from shared.storage.items import Item, number, text
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def job_item(partition: str, sort_key: str, version: int, now: datetime) -> Item:
    """A job that begins at the head of its list. `version`: of what was changed, and so made the job necessary."""
    return {
        "pk": text(partition),
        "sk": text(sort_key),
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
    as_read = "version = :version"
    values = {":version": job["version"]}
    if position is not None:
        Records(client, table).put(job | {"position": {"M": position}}, as_read, values)
        return
    try:
        client.delete_item(
            TableName=table,
            Key={"pk": job["pk"], "sk": job["sk"]},
            ConditionExpression=as_read,
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def replanning_job(org_id: str, version: int, now: datetime) -> Item:
    """A job that begins at the first bill. `version`: of the organization, which accounts are to be planned by."""
    return job_item(keys.replanning(org_id), keys.ROOT, version, now)
