"""Erasing people: on request or by age. What has to stay is the money and that notices went, under ids alone."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.output import say, say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.contracts.statements import UnreadableStatementError, read_document
from shared.domain.account.contacts import number_hash
from shared.domain.account.erasure import (
    ErasureCause,
    StillNeeded,
    erased,
    numbers_of,
    old_enough,
    still_needed,
)
from shared.domain.delivery.print_batch import letter_key
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import Organization
from shared.domain.records.task import Task
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.erasure import Erasures
from shared.storage.print_batches import PrintBatches

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_OBJECTS = 1000
"""S3's limit on one DeleteObjects."""


class ErasureOutcome(StrEnum):
    """What became of an account's person; where they are still needed, that says why (`StillNeeded`)."""

    WOULD_BE_ERASED = "would be erased"
    ERASED = "erased"


def erase(  # noqa: PLR0913 - a command's options
    stack: StackOption,
    *,
    partner: Annotated[str | None, typer.Option(help="All organizations of this partner.", show_default=False)] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="This organization.", show_default=False)
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="This account's person, on request. Needs --org.", show_default=False)
    ] = None,
    by_age: Annotated[
        bool, typer.Option("--by-age", help="Everybody who was kept as long as the organization's retentionDays say.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase. Without it: a dry run.")] = False,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="Age at this instant.", show_default="now")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what is kept of people, for good: names, contacts, statements, messages, letters, notes.

    Money, ids, opt-outs and the fact of each notice stay. Who still owes, is owed, or waits for a message isn't erased.
    """
    if (account is None) is not by_age or (account and not organization):
        raise CommandError("pass --org with --account, or --by-age")
    found, now = DeployedStack.find(stack), as_of or datetime.now(UTC)
    eraser = Eraser(found, now, acts=yes)
    rows: list[ErasureRow] = []
    for each in found.chosen(partner, organization):
        rows += eraser.on_request(each, account) if account else eraser.by_age(each)
    if as_json:
        say_json({"dryRun": not yes, "accounts": [row.shown for row in rows]})
    else:
        if not rows:
            say("Nobody is left to erase.")
        say_table("Accounts", ("organization", "account", "outcome"), [tuple(row.shown.values()) for row in rows])
        if not yes:
            say("Nothing was erased: this was a dry run. Erase with --yes.")
    if account and any(isinstance(row.outcome, StillNeeded) for row in rows):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """What became of one account's person."""

    org_id: str
    account_id: str
    outcome: ErasureOutcome | StillNeeded

    @property
    def shown(self) -> dict[str, str]:
        """As the command prints it."""
        return {"orgId": self.org_id, "accountId": self.account_id, "outcome": str(self.outcome)}


@dataclass(slots=True)
class Eraser:
    """Erases people of a stack, or says whom it would erase."""

    found: DeployedStack
    now: datetime
    acts: bool

    def on_request(self, organization: Organization, account_id: str) -> list[ErasureRow]:
        """One account's person. Raises CommandError where there is no such account."""
        subject = self._subject(organization, ErasureCause.ON_REQUEST)
        row = subject.erase(account_id)
        if row is None and self.found.books.load(organization.org_id, account_id) is None:
            raise CommandError(f"there is no account {account_id}")
        return [row] if row else []

    def by_age(self, organization: Organization) -> Iterator[ErasureRow]:
        """Everybody of an organization who was kept long enough; none where it keeps people without end."""
        if organization.retention_days is None:
            return
        subject = self._subject(organization, ErasureCause.BY_AGE)
        left, seen = sorted(subject.erasures.accounts(organization.org_id)), set[str]()
        while left:
            account_id = left.pop()
            if account_id in seen:
                continue
            seen.add(account_id)
            row = subject.erase(account_id)
            left += subject.moved_to
            if row:
                yield row

    def _subject(self, organization: Organization, cause: ErasureCause) -> "ErasureOfOrganization":
        table, client = self.found.output("TableName"), clients.dynamodb()
        erasures = Erasures(client, table)
        waiting = PrintBatches(client, table).letters(organization.org_id)
        return ErasureOfOrganization(
            organization=organization,
            cause=cause,
            now=self.now,
            acts=self.acts,
            books=self.found.books,
            erasures=erasures,
            tasks=erasures.tasks(organization.org_id),
            waiting=frozenset(letter.notice_id for letter in waiting),
            letters=Letters(clients.s3(), self.found.output("PrintBucket")),
        )


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a print bucket."""

    client: "S3Client"
    bucket: str

    def erase(self, org_id: str, notice_ids: Iterable[str]) -> None:
        """Delete letters' PDFs, each with all its versions. Their print jobs, which name nobody, stay."""
        for some in batched(self._versions(org_id, notice_ids), MOST_OBJECTS, strict=False):
            self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": list(some), "Quiet": True})

    def _versions(self, org_id: str, notice_ids: Iterable[str]) -> Iterator[Any]:
        pages = self.client.get_paginator("list_object_versions")
        for notice_id in notice_ids:
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{letter_key(org_id, notice_id)}.pdf"):
                for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    yield {"Key": each["Key"], "VersionId": each["VersionId"]}


@dataclass(slots=True, kw_only=True)
class ErasureOfOrganization:
    """Erases people of one organization. moved_to: where bills of the account looked at last went."""

    organization: Organization
    cause: ErasureCause
    now: datetime
    acts: bool
    books: AccountBooks
    erasures: Erasures
    tasks: dict[str, list[Task]]
    waiting: frozenset[str]
    letters: Letters
    moved_to: tuple[str, ...] = ()

    def erase(self, account_id: str) -> ErasureRow | None:
        """Erase an account's person, or say why not; None: there is nothing of anybody to erase."""
        org_id = self.organization.org_id
        before = self.books.load(org_id, account_id)
        self.moved_to = tuple(bill.moved_to for bill in before.bills if bill.moved_to) if before else ()
        if before is None or self._is_done(before):
            return None
        change, outcome = self._decided(before)
        if self.acts and change is not None:
            outcome = self.books.decide(org_id, account_id, self._decided).result
        elif outcome is ErasureOutcome.ERASED and not self.acts:
            outcome = ErasureOutcome.WOULD_BE_ERASED
        if outcome is ErasureOutcome.ERASED:
            # After the account, from what it was before: whoever dies in between runs the command again.
            printed = (notice.notice_id for notice in before.notices if notice.channel is Channel.PRINT)
            self.letters.erase(org_id, printed)
            self.erasures.erase_around(before, _numbers(before), self.tasks.get(account_id, ()))
        return ErasureRow(org_id, account_id, outcome) if outcome else None

    def _is_done(self, book: AccountBook) -> bool:
        return erased(book, self.cause, self.now) is None and not self.erasures.is_anything_left(book)

    def _decided(self, book: AccountBook) -> tuple[Change | None, ErasureOutcome | StillNeeded | None]:
        """What to do about an account now; None as an outcome: it isn't old enough."""
        days = self.organization.retention_days
        if self.cause is ErasureCause.BY_AGE and (days is None or not old_enough(book, days, self.now)):
            return None, None
        needed = still_needed(book, self.tasks.get(book.account.account_id, ()), self.waiting)
        return (None, needed) if needed else (erased(book, self.cause, self.now), ErasureOutcome.ERASED)


def _numbers(book: AccountBook) -> set[str]:
    """The phone numbers, hashed, that texts about an account may have gone to: its people's, and its patients'."""
    found = set(numbers_of(book))
    for bill in book.bills:
        with suppress(UnreadableStatementError, ValueError):
            patients = read_document(bill.document).patients
            found |= {number_hash(patient.mobile_phone) for patient in patients if patient.mobile_phone}
    return found
