"""What puts a background job into the due index: an item written together with the change that makes it necessary."""

from datetime import datetime

from shared.storage import items, keys
from shared.storage.items import Item, number, text


def job_item(partition: str, sort_key: str, version: int, now: datetime) -> Item:
    """A job that begins at the head of its list. `version`: of what was changed, and so made the job necessary."""
    return {
        **items.key(partition, sort_key),
        "version": number(version),
        "due_shard": text(keys.due_shard(partition)),
        "due_at": text(keys.instant(now)),
    }


def replanning_job(org_id: str, version: int, now: datetime) -> Item:
    """A job that begins at the first bill. `version`: of the organization, which accounts are to be planned by."""
    return job_item(keys.replanning(org_id), keys.ROOT, version, now)
