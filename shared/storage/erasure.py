"""What is kept of a person apart from the account's own change: messages, notes, ways in, numbers, settled tasks."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT
from shared.domain.account.erasure import erased_event, erased_task
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.book import AccountBook
from shared.domain.records.task import Task, TaskStatus
from shared.domain.vocabulary.history import HistoryEvent
from shared.storage import items, keys
from shared.storage.batches import UNPROCESSED_PAUSE_SECONDS, read_items
from shared.storage.items import Item, text
from shared.storage.organizations import ORGANIZATION_INDEX
from shared.storage.print_batches import MOST_DELETES
from shared.storage.queue_lists import bill_row, bill_rows
from shared.storage.writes import THERE, conditional, equals, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Erasures:
    """What has to be erased in one table besides accounts."""

    client: "DynamoDBClient"
    table: str

    def accounts(self, org_id: str) -> set[str]:
        """All accounts of an organization that a bill, a notice or a payment leads to.

        Of a bill that went to another account, the first that had it too; `AccountBook` names those between.
        """
        bills = [bill_row(row) for row in self._rows(**bill_rows(org_id))]
        by_index = (
            row
            for partition in (keys.notifications(org_id), keys.payments(org_id))
            for row in self._rows(
                IndexName=ORGANIZATION_INDEX,
                KeyConditionExpression="org_pk = :partition",
                ExpressionAttributeValues={":partition": text(partition)},
            )
        )
        claims = ((keys.statement_claim(org_id, bill.statement_id), keys.ROOT) for bill in bills)
        first = {claim["account_id"]["S"] for claim in read_items(self.client, self.table, claims)}
        return {bill.account_id for bill in bills} | {keys.account_id_of(row["pk"]["S"]) for row in by_index} | first

    def tasks(self, org_id: str) -> dict[str, list[Task]]:
        """An organization's tasks, settled or not, by the account that they are about."""
        found: dict[str, list[Task]] = {}
        for item in self._rows(
            KeyConditionExpression="pk = :tasks",
            ExpressionAttributeValues={":tasks": text(keys.tasks(org_id))},
            ConsistentRead=True,
        ):
            task = items.task_of(item)
            found.setdefault(task.account_id, []).append(task)
        return found

    def is_anything_left(self, book: AccountBook) -> bool:
        """Whether `erase_around` has still something to do. What it deletes goes last, so this says of all of it."""
        return bool(read_items(self.client, self.table, _apart(book)))

    def erase_around(self, book: AccountBook, numbers: Iterable[str], tasks: Iterable[Task]) -> None:
        """Erase what stands apart from the account. Again is harmless.

        numbers: hashed, by which texts found the account; the account itself doesn't know them any more. tasks: those
        about it.
        """
        org_id, account_id = book.account.org_id, book.account.account_id
        for task in tasks:
            if task.status is TaskStatus.RESOLVED and erased_task(task) != task:
                as_read = equals("status", text(task.status))  # a settled task is never changed by anybody else
                conditional(self.client, put(self.table, items.task_item(erased_task(task)), as_read))
        self._erase_notes(org_id, account_id)
        found_by = [
            (keys.texted_number(number), keys.texted_account(recipient, org_id, account_id))
            for number in numbers
            for recipient in (GUARANTOR, PATIENT, BILL_TO, TEST_CONTACT)
        ]
        self._delete([*found_by, *_apart(book)])

    def _erase_notes(self, org_id: str, account_id: str) -> None:
        """Nobody else ever writes an event again."""
        events = self._rows(
            KeyConditionExpression="pk = :account AND begins_with(sk, :history)",
            ExpressionAttributeValues={
                ":account": text(keys.collection(org_id, account_id)),
                ":history": text(keys.HISTORY_SORT),
            },
            ConsistentRead=True,
        )
        for item in list(events):
            event = items.unpack(HistoryEvent, item["body"])
            if erased_event(event) != event:
                erased_item = item | {"body": items.pack(HistoryEvent, erased_event(event))}
                conditional(self.client, put(self.table, erased_item, THERE))

    def _rows(self, **query: Any) -> Iterator[Item]:  # noqa: ANN401 - the client's own parameters
        pages = self.client.get_paginator("query").paginate(TableName=self.table, **query)
        for page in pages:
            yield from page["Items"]

    def _delete(self, gone: list[tuple[str, str]]) -> None:
        for some in batched(dict.fromkeys(gone), MOST_DELETES, strict=False):
            left: Any = {self.table: [{"DeleteRequest": {"Key": items.key(pk, sk)}} for pk, sk in some]}
            while left:
                left = self.client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if left:
                    time.sleep(UNPROCESSED_PAUSE_SECONDS)


def _apart(book: AccountBook) -> list[tuple[str, str]]:
    """The keys of an account's messages, and of the ways in by its links."""
    secrets = (secret for link in book.links for secret in (link.token_hash, link.code_hash) if secret)
    messages = (keys.kept_message(notice.notice_id) for notice in book.notices)
    return [(partition, keys.ROOT) for partition in (*messages, *map(keys.link_secret, secrets))]
