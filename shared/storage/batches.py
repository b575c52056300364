"""Many items read by key, a hundred a call."""

import time
from collections.abc import Iterable
from itertools import batched
from typing import TYPE_CHECKING, Any

from shared.storage.attributes import Item, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_KEYS = 100
"""DynamoDB's limit on one BatchGetItem."""

UNPROCESSED_PAUSE_SECONDS = 0.05


def read_items(client: "DynamoDBClient", table: str, keys: Iterable[tuple[str, str]]) -> list[Item]:
    """Read items consistently by (pk, sk), in the order asked for; those that aren't there are left out."""
    wanted = list(dict.fromkeys(keys))
    found: dict[tuple[str, str], Item] = {}
    for batch in batched(wanted, MOST_KEYS, strict=False):
        left: Any = {
            table: {"Keys": [{"pk": text(pk), "sk": text(sk)} for pk, sk in batch], "ConsistentRead": True},
        }
        while left:
            answer = client.batch_get_item(RequestItems=left)
            for item in answer["Responses"].get(table, []):
                found[item["pk"]["S"], item["sk"]["S"]] = item
            left = answer.get("UnprocessedKeys")
            if left:
                # The table is busy, or the answer was full.
                time.sleep(UNPROCESSED_PAUSE_SECONDS)
    return [found[key] for key in wanted if key in found]
