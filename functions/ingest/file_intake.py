"""Takes in a file of the drop bucket, whatever its size, over as many invocations as it needs.

A file is read twice. The first time finds out whether it is a statement file at all, which schema it names (maybe only
at its end) and which statements come twice, before anything is stored. The second takes the statements in by chunks.
Both note as they go the byte that they have come to; whoever takes the file up again goes on from there. It is in the
due index until it is done or has failed with a reason (docs/rules.md#file-goes-on).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from functions.ingest.intake import Intake
from functions.ingest.ports import IngestPorts
from functions.ingest.repeats import Repeats, SeenStatements
from functions.ingest.tallies import tally_rows
from shared.contracts.statement_files import (
    FileSchema,
    InvalidFileError,
    NotJsonError,
    StatementFile,
    decoded_chunks,
)
from shared.domain.records.file_reading import FilePlace, FileReading, FileShape
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus
from shared.messaging.metrics import count

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

READ_BYTES = 1024 * 1024
STATEMENTS_TOGETHER = 500
"""How many statements are taken in before the place in the file is noted."""

SURVEYED_TOGETHER = 16_000
"""How many statements the first reading notes at a time."""

LEASE = timedelta(minutes=16)
"""How long a file is an invocation's own: longer than one lasts. Then the clockwork takes the file up again."""

MOST_ATTEMPTS = 8
"""How often a file is begun again without having come any further, until it has failed: within about three hours."""

FIRST_FILE_WAIT, LONGEST_FILE_WAIT = timedelta(minutes=1), timedelta(hours=1)

GONE = frozenset({"NoSuchKey", "404"})
REPLACED = frozenset({"PreconditionFailed", "412"})

IS_EMPTY = "The file is empty."
IS_GONE = "The file was gone before it was read: it was deleted, or renamed."
IS_REPLACED = "Another file was put in its place before it was wholly taken in. That one is taken in by itself."


class OutOfTimeError(Exception):
    """The invocation's time ends before the file does; the next one goes on where this one stopped."""


class TakenOverError(Exception):
    """Another invocation works on the file."""


class FileGoneError(Exception):
    """The file isn't in the bucket any more."""


class FileReplacedError(Exception):
    """There is another file in its place."""


class EmptyFileError(Exception):
    """The file has no bytes."""


def lease_from(ingestion: Ingestion, now: datetime) -> datetime:
    """Until when an invocation that begins now may work on a file, by the file's own clock."""
    return (ingestion.as_of or now) + LEASE


@dataclass(slots=True)
class FileIntake:
    """Works on one file. `ingestion` is its state; `time_is_up` says when to stop, so that the next one goes on."""

    ports: IngestPorts
    ingestion: Ingestion
    now: datetime
    time_is_up: Callable[[], bool]

    def run(self) -> Ingestion | None:
        """Go on with the file as far as time allows: its state then. None: another invocation works on it, or has.

        What goes wrong on the way is logged and tried again later, unless the table can't be reached: that is raised.
        """
        if self.ingestion.status is not IngestionStatus.PROCESSING or not self.ingestion.reading.key:
            return None
        try:
            attempts = self.ingestion.reading.attempts
            self._save(self._reading(attempts=attempts + 1), due_at=lease_from(self.ingestion, self.now))
            if attempts >= MOST_ATTEMPTS:
                self._fail(f"It was tried {attempts} times. {self.ingestion.reading.problem}".strip())
            else:
                self._go_on()
        except TakenOverError:
            return None
        return self.ingestion

    def _go_on(self) -> None:
        try:
            self._read()
        except OutOfTimeError:
            self._save(due_at=self._moment)
        except (NotJsonError, InvalidFileError) as error:
            self._fail(problem_of(error))
        except EmptyFileError:
            self._fail(IS_EMPTY)
        except FileGoneError:
            self._fail(IS_GONE, warns=False)
        except FileReplacedError:
            self._begin_again_or_fail()
        except TakenOverError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the file is taken up again, and fails in the end
            self._try_later(type(error).__name__)

    @property
    def _moment(self) -> datetime:
        """Now, by the file's own clock."""
        return self.ingestion.as_of or self.now

    # Its state.

    def _reading(self, **changes: Any) -> FileReading:  # noqa: ANN401 - fields of several types
        return replace(self.ingestion.reading, **changes)

    def _save(self, reading: FileReading | None = None, **changes: Any) -> None:  # noqa: ANN401 - likewise
        """Store the next state. Raises TakenOverError where it isn't this invocation's file any more."""
        changed = replace(self.ingestion, reading=reading or self.ingestion.reading, **changes)
        stored = self.ports.ingestions.move_on(changed)
        if stored is None:
            raise TakenOverError
        self.ingestion = stored

    def _come_to(self, place: FilePlace | None, counts: Counts | None = None, **changes: Any) -> None:  # noqa: ANN401 - likewise
        """Note that the file came further: what failed before counts no more."""
        reading = self._reading(place=place, attempts=0, problem="", **changes)
        self._save(reading, counts=counts or self.ingestion.counts)

    def _finish(self, status: IngestionStatus, problem: str = "") -> None:
        self._save(status=status, problem=problem, finished_at=self._moment, due_at=None)

    def _fail(self, problem: str, *, warns: bool = True) -> None:
        self._finish(IngestionStatus.FAILED, problem)
        if warns:
            count("FileFailed")

    def _begin_again_or_fail(self) -> None:
        """An upload's address names one ingestion, whatever is put there; a dropped file is an ingestion by itself."""
        if self.ingestion.source is IngestionSource.UPLOAD:
            self._save(FileReading(key=self.ingestion.reading.key), counts=Counts(), due_at=self._moment)
        else:
            self._fail(IS_REPLACED, warns=False)

    def _try_later(self, error: str) -> None:
        """Leave the file for a while, longer each time."""
        logger.error("file not taken in", extra={"ingestion_id": self.ingestion.ingestion_id, "error": error})
        problem = f"It failed by {error} at byte {self.ingestion.reading.taken_bytes}."
        wait = min(FIRST_FILE_WAIT * 2 ** max(0, self.ingestion.reading.attempts - 1), LONGEST_FILE_WAIT)
        self._save(self._reading(problem=problem), due_at=self._moment + wait)

    # Its content.

    def _read(self) -> None:
        if not self.ingestion.reading.is_surveyed:
            self._survey()
        self._take_in()
        self._finish(IngestionStatus.SUCCESS)

    def _open(self) -> StatementFile:
        """The file from where its reading stands."""
        place = self.ingestion.reading.place
        chunks = decoded_chunks(self._bytes_from(place.byte if place else 0))
        return StatementFile.going_on(chunks, place) if place else StatementFile(chunks)

    def _bytes_from(self, start: int) -> Iterator[bytes]:
        s3: S3Client = self.ports.s3
        reading = self.ingestion.reading
        if start and start >= reading.size:
            return iter(())
        how: Any = {"Range": f"bytes={start}-"} if start else {}
        how |= {"IfMatch": reading.etag} if reading.etag else {}
        try:
            answer = s3.get_object(Bucket=self.ports.settings.drop_bucket, Key=reading.key, **how)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in GONE:
                raise FileGoneError from error
            if code in REPLACED:
                raise FileReplacedError from error
            raise
        if not reading.etag:
            self._save(self._reading(etag=answer["ETag"], size=answer["ContentLength"]))
        if not self.ingestion.reading.size:
            raise EmptyFileError
        return answer["Body"].iter_chunks(READ_BYTES)

    # The first reading.

    def _survey(self) -> None:
        """Read on until the file is known whole."""
        file, seen = self._open(), self._seen_before()
        noted = len(seen)
        for chunk in batched(file.statements(), STATEMENTS_TOGETHER, strict=False):
            for raw in chunk:
                seen.add(raw)
            is_up = self.time_is_up()
            if is_up or len(seen) - noted >= SURVEYED_TOGETHER:
                noted = self._note(file.place(), seen, noted)
            if is_up:
                raise OutOfTimeError
        schema = file.schema
        repeats = Repeats() if schema is FileSchema.PAYMENT_UPDATES else seen.repeats()
        self.ports.surveys.save_repeats(self.ingestion, repeats.places, self.now)
        place = file.place()
        lines = place is not None and place.shape is FileShape.LINES
        beginning = FilePlace(byte=0, lines=0, columns=0, shape=FileShape.LINES) if lines else None
        digest = sha256(seen.texts.tobytes()).hexdigest()
        self._come_to(beginning, is_surveyed=True, schema=schema or "", surveyed=len(seen), digest=digest)

    def _seen_before(self) -> SeenStatements:
        """The statements of the file so far. Where they aren't all known any more, the reading begins again."""
        found = self.ports.surveys.digests(self.ingestion) if self.ingestion.reading.surveyed else None
        if found is None:
            return SeenStatements()
        return SeenStatements(found[::2], found[1::2])

    def _note(self, place: FilePlace | None, seen: SeenStatements, noted: int) -> int:
        """Store what was seen since `noted`, and where: how much is noted now. A file that may be anything waits."""
        if place is None:
            return noted
        pairs = seen.pairs(noted)
        self.ports.surveys.save_digests(self.ingestion, noted, pairs, self.now)
        self._come_to(place, surveyed=len(seen))
        return len(seen)

    # The second.

    def _take_in(self) -> None:
        """Take statements in from where the file stands to its end."""
        ingestion, schema = self.ingestion, self.ingestion.reading.schema
        repeats, file = Repeats(self.ports.surveys.repeats(ingestion)), self._open()
        intake = Intake(
            books=self.ports.books,
            organizations=self.ports.organizations,
            numbers=self.ports.numbers,
            partner_id=ingestion.partner_id,
            ingestion_id=ingestion.ingestion_id,
            schema=FileSchema(schema) if schema else None,
            now=self._moment,
            file_digest=ingestion.reading.digest,
        )
        for chunk in batched(file.statements(), STATEMENTS_TOGETHER, strict=False):
            if self.time_is_up():
                raise OutOfTimeError
            place, first = file.place(), self.ingestion.counts.total
            rows = intake.take(chunk, repeats.rows(first, chunk), first)
            self.ports.ingestions.save_rows(ingestion.partner_id, ingestion.ingestion_id, first, rows)
            self._come_to(place, self.ingestion.counts.plus(rows))
            tally_rows(rows)


def problem_of(error: NotJsonError | InvalidFileError) -> str:
    """Why a file as a whole can't be taken, in a sentence."""
    if isinstance(error, NotJsonError):
        return f"The file is neither one JSON document nor NDJSON. {error.detail}"
    return " ".join(f"{remark.pointer or 'The document'} {remark.detail}." for remark in error.errors)
