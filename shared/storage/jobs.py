"""Jobs in the due index that go through a list page by page, and note how far they came."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.storage.items import Item
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
