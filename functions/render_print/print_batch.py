"""Closing an organization's print batches: a manifest in the bucket lists the letters of each, and is written once.

Writing the manifest is the moment at which a batch is closed. What follows only tidies up: the letters that it lists
wait no more, and the batch is recorded. Whoever finds a manifest there, because another worker died or is at work at
the same time, takes it as it is and tidies up by it. Only then may the next batch begin.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched
from typing import TYPE_CHECKING, Self

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.render_print.letter_writer import put_once
from shared.domain.delivery.print_batch import (
    LetterState,
    PrintBatch,
    closes_at,
    last_closable_day,
    letter_key,
    letter_state,
    next_batch,
    print_batch_id,
)
from shared.domain.records.notice import StoredLetter
from shared.domain.records.policy import Organization
from shared.storage.organizations import Organizations
from shared.storage.print_batches import BatchState, PrintBatches

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

AT_A_TIME = 250
"""So many letters are tidied up between two looks at the clock."""


class ListedLetter(BaseModel):
    """A letter in a manifest, as its own print job describes it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    print_job_id: str
    notification_id: str
    pdf: str
    pages: int
    sha256: str

    @classmethod
    def of(cls, org_id: str, notice_id: str, letter: StoredLetter) -> Self:
        """A letter by what its row says of it."""
        return cls(
            print_job_id=notice_id,
            notification_id=notice_id,
            pdf=f"{letter_key(org_id, notice_id)}.pdf",
            pages=letter.pages,
            sha256=letter.sha256,
        )


class Manifest(BaseModel):
    """The letters of a batch, in the order of their ids.

    sha256: over the letters, each as the line `<sha256>  <pdf>` with a line feed, as `sha256sum` reads and writes them.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    print_batch_id: str
    org_id: str
    day: date = Field(alias="date")
    closed_at: datetime
    count: int
    pages: int
    sha256: str
    letters: tuple[ListedLetter, ...]

    @classmethod
    def of(cls, org_id: str, day: date, letters: Iterable[ListedLetter], now: datetime) -> Self:
        """The manifest of a batch that is closed now."""
        listed = tuple(sorted(letters, key=lambda letter: letter.print_job_id))
        lines = "".join(f"{letter.sha256}  {letter.pdf}\n" for letter in listed)
        return cls(
            print_batch_id=print_batch_id(org_id, day),
            org_id=org_id,
            day=day,
            closed_at=now,
            count=len(listed),
            pages=sum(letter.pages for letter in listed),
            sha256=hashlib.sha256(lines.encode()).hexdigest(),
            letters=listed,
        )

    @property
    def batch(self) -> PrintBatch:
        """The record of the batch."""
        return PrintBatch(
            org_id=self.org_id,
            day=self.day,
            closed_at=self.closed_at,
            count=self.count,
            pages=self.pages,
            manifest=manifest_key(self.org_id, self.day),
        )


def manifest_key(org_id: str, day: date) -> str:
    """Where a manifest lies in the bucket; not *.json, because that is a print job."""
    return f"batches/{org_id}/{day.isoformat()}.manifest"


@dataclass(frozen=True, slots=True)
class BatchCloser:
    """Closes batches. What it leaves undone when time is up, or when it dies, is done when the batch's lease ends.

    stopped: whether an operator stopped letters; then it leaves all undone.
    """

    batches: PrintBatches
    organizations: Organizations
    client: "S3Client"
    bucket: str
    time_is_up: Callable[[], bool] = lambda: False
    stopped: Callable[[], bool] = lambda: False

    def close(self, org_id: str, now: datetime) -> None:
        """Close those of an organization's batches whose time has come, the oldest first; the next is due then."""
        if self.stopped():
            logger.info("print batch waits: sending is stopped", extra={"org_id": org_id})
            return
        organization = self.organizations.get(org_id)
        if organization is None:
            logger.error("print batch without organization", extra={"org_id": org_id})
            return
        while not self.time_is_up():
            state = self.batches.state(org_id)
            day = self._begun(state, organization, now) if state else None
            if day is None or not self._close(org_id, day, now):
                return

    def _begun(self, state: BatchState, organization: Organization, now: datetime) -> date | None:
        """The batch to close, which nobody closes but together with whoever began; None: there is none now."""
        if state.closing:
            return state.closing
        org_id, zone = organization.org_id, organization.zone
        day = next_batch(self.batches.letters(org_id), state.closed_through, last_closable_day(now, zone))
        due_at = closes_at(day, zone) if day else state.open_until
        if due_at > now:
            self.batches.rest(org_id, due_at, state)
        elif day is None:
            self.batches.rest(org_id, None, state)
        elif self.batches.begin(org_id, day, state):
            return day
        return None

    def _close(self, org_id: str, day: date, now: datetime) -> bool:
        """Close a batch that was begun. False: time is up, or another worker was quicker.

        The letters are read after the batch was begun. Whatever an earlier manifest lists is gone by then.
        """
        letters = [letter for letter in self.batches.letters(org_id) if letter.day <= day]
        rows = self.batches.rows(org_id, letters)
        states = {letter.notice_id: letter_state(rows.get(letter.notice_id)) for letter in letters}
        listed = (
            ListedLetter.of(org_id, row.notice_id, row.letter)
            for row in rows.values()
            if row.letter and states[row.notice_id] is LetterState.LISTED
        )
        manifest = self._written(Manifest.of(org_id, day, listed, now))
        gone = [letter.notification_id for letter in manifest.letters if letter.notification_id in states]
        for some in batched(gone, AT_A_TIME, strict=False):
            if self.time_is_up():
                return False
            self.batches.forget(org_id, some)
        for letter in letters:
            if states[letter.notice_id] is LetterState.DROPPED:
                self.batches.drop(org_id, letter)
        finished = self.batches.finish(manifest.batch)
        facts = {"org_id": org_id, "print_batch_id": manifest.print_batch_id, "letters": manifest.count}
        logger.info("print batch closed" if finished else "print batch was closed already", extra=facts)
        return finished

    def _written(self, manifest: Manifest) -> Manifest:
        """Write a manifest, or answer the one that is there: of two workers one writes, and both go by the same."""
        key = manifest_key(manifest.org_id, manifest.day)
        body = manifest.model_dump_json(by_alias=True, indent=2).encode()
        if put_once(self.client, self.bucket, key, body, "application/json", {}):
            return manifest
        there = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return Manifest.model_validate_json(there)
