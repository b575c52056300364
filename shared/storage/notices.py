"""The ledger row of one notice, moved by conditional writes through its statuses.

Each move states the status, attempt and number of moves that it starts from, so that of two workers at one row only
one succeeds. The moves, one history entry each, distinguish what status and attempt can't: two schedulers that give the
same ended lease back, each to a queue message of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.domain.account.happenings import failed_notice
from shared.domain.account.number_stops import STACK_SENDER
from shared.domain.delivery.claim_records import ClaimRecord
from shared.domain.delivery.kept_messages import KeptMessage
from shared.domain.records.account import Account
from shared.domain.records.notice import Notice
from shared.domain.records.payment_link import PaymentLink
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.claim_records import claim_record_write
from shared.storage.items import Item, number, text
from shared.storage.kept_messages import message_of
from shared.storage.numbers import NOT_STOPPED
from shared.storage.outbox import outbox_writes
from shared.storage.records import Records
from shared.storage.writes import Condition, at_version, check, conditional, equals, put, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Notices:
    """The ledger rows of one table."""

    client: "DynamoDBClient"
    table: str

    def load(self, org_id: str, account_id: str, notice_id: str) -> Notice | None:
        """Read one row consistently; None: there is none."""
        answer = self.client.get_item(
            TableName=self.table,
            Key=_key(org_id, account_id, notice_id),
            ConsistentRead=True,
        )
        item: Item | None = answer.get("Item")
        return items.notice_of(item) if item else None

    def read_together(self, ids: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Callable[[], Notice]]:
        """Read rows consistently by organization, account and own id, a hundred a call; those not there are left out.

        A row is parsed when it is asked for, so that one that can't be read stands in no other's way.
        """
        wanted = {
            (keys.collection(org_id, account_id), keys.notice_lookup(notice_id)): (org_id, account_id, notice_id)
            for org_id, account_id, notice_id in ids
        }
        found = read_items(self.client, self.table, wanted)
        return {wanted[item["pk"]["S"], item["sk"]["S"]]: partial(items.notice_of, item) for item in found}

    def message(self, notice_id: str) -> KeptMessage | None:
        """A notice's message as it was sent; None: none was kept."""
        item = Records(self.client, self.table).item(keys.kept_message(notice_id))
        return message_of(item) if item else None

    def move(self, before: Notice, after: Notice) -> bool:
        """Write a row's next state on condition that it is still as it was read. False: somebody else moved it.

        One that has failed is told of in the same transaction.
        """
        write = put(self.table, items.notice_item(after), still_as(before))
        told = outbox_writes(self.table, failed_notice(after))
        if told:
            return transact(self.client, [write, *told])
        return conditional(self.client, write, conflict_loses=True).happened

    def claim(
        self,
        before: Notice,
        after: Notice,
        account: Account,
        links: tuple[PaymentLink, ...],
        records: tuple[ClaimRecord, ...] = (),
        texted_number: str = "",
    ) -> bool:
        """Take a notice for sending, with the links it will carry, on condition that account and row are as judged.

        `records` are further facts that must be known as soon as the provider may have the message. `texted_number` is
        the number (hashed) that a text goes to, which must not have said STOP, to whichever account: that closes the
        race of a claim and a STOP that doesn't know of the account.

        The account's version is raised in the same transaction. That closes two races: a payment or opt-out recorded
        after the judgement makes the claim fail, and one decided before the claim but written after it fails instead.
        False: something changed, judge again.
        """
        take = put(self.table, items.notice_item(after), still_as(before))
        judged = update(
            self.table,
            items.key(keys.collection(account.org_id, account.account_id)),
            "SET version = :next",
            {":next": number(account.version + 1)},
            at_version(account.version),
        )
        writes = [take, judged]
        for link in links:
            writes += [put(self.table, item) for item in (items.link_item(link), *items.link_pointers(link))]
        writes += [claim_record_write(self.table, fact) for fact in records]
        if texted_number:
            said = items.key(keys.texted_number(texted_number), keys.number_stop(STACK_SENDER))
            writes.append(check(self.table, said, NOT_STOPPED))
        return transact(self.client, writes)


def _key(org_id: str, account_id: str, notice_id: str) -> Item:
    return items.key(keys.collection(org_id, account_id), keys.notice_lookup(notice_id))


def still_as(before: Notice) -> Condition:
    """The row is in the status, attempt and move that it was read at."""
    same_try = equals("status", text(before.status)) & equals("attempt", number(before.attempt))
    return same_try & has_moved(len(before.status_history))


def has_moved(times: int) -> Condition:
    """The row has moved as often as when it was read, so that nobody else wrote it since."""
    return equals("moves", number(times))
