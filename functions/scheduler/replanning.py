"""Replanning an organization's accounts in the background, because what they are planned by has changed.

A job item in the due index says that it has to be done. It is written in the same transaction as the change, so
neither is ever without the other. Each sweep takes pages of the organization's bills, marks their accounts as due, and
notes how far it came; a job that is cut off goes on from there, and marking an account twice is harmless. Another
change starts the job anew.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.vocabulary.words import BillStatus
from shared.storage import items, keys
from shared.storage.account_books import STATEMENT_INDEX
from shared.storage.items import number, text
from shared.storage.jobs import due_job, move_on, page_of
from shared.storage.writes import THERE, absent, below, conditional, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 100


@dataclass(frozen=True, slots=True)
class Replanning:
    """The replanning jobs of one table."""

    client: "DynamoDBClient"
    table: str

    def advance(self, org_id: str, now: datetime) -> int:
        """Mark the accounts of one page of bills as due, and answer how many were marked.

        The job is moved on only if it is still the one that was read: a change of settings meanwhile has put a new one
        in its place, which begins at the first bill.
        """
        job = due_job(self.client, self.table, keys.replanning(org_id), keys.ROOT, now)
        if job is None:
            return 0
        bills = {
            "IndexName": STATEMENT_INDEX,
            "KeyConditionExpression": "statement_pk = :org AND begins_with(statement_sk, :bills)",
            "ExpressionAttributeValues": {":org": text(keys.statement_index(org_id)), ":bills": text(keys.BILL)},
            "Limit": PAGE,
        }
        page = page_of(self.client, self.table, job, bills)
        owing = {row["pk"]["S"] for row in page["Items"] if row["status"]["S"] == BillStatus.DUE}
        marked = sum(self._mark(partition, int(job["version"]["N"]), now) for partition in sorted(owing))
        move_on(self.client, self.table, job, page.get("LastEvaluatedKey"))
        return marked

    def _mark(self, partition: str, version: int, now: datetime) -> bool:
        """Put an account into the due index as of now; False: it is gone, or marked for these settings already.

        The account's version rises, so that a change decided before the mark is decided again and can't write over it.
        """
        marked_for_older = absent("settings_version") | below("settings_version", number(version))
        mark = update(
            self.table,
            items.key(partition),
            "SET due_shard = :shard, due_at = :now, settings_version = :settings, version = version + :one",
            {
                ":shard": text(keys.due_shard(partition)),
                ":now": text(keys.instant(now)),
                ":settings": number(version),
                ":one": number(1),
            },
            THERE & marked_for_older,
        )
        return conditional(self.client, mark).happened
