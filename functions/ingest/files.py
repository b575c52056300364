"""Statement files in the drop bucket: whatever their size, read as a stream and taken in by chunks.

A file is read twice. The first time finds out whether it is a statement file at all, which schema it names (maybe only
at its end) and which statements come twice, before anything is stored. The second takes the statements in, and notes
after each chunk how far it has come: whoever works on the file again goes on from there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from itertools import batched, islice
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field

from functions.ingest.intake import Intake, repeated
from functions.ingest.ports import IngestPorts
from shared.contracts.ingestions import UploadAnswer
from shared.contracts.statement_files import (
    FileSchema,
    InvalidFileError,
    NotJsonError,
    RawStatement,
    StatementFile,
    decoded_chunks,
)
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus, StatementRow
from shared.http.problems import ProblemError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DROPS = "drops"
UPLOADS = "uploads"
READ_BYTES = 1024 * 1024
STATEMENTS_TOGETHER = 500
UPLOAD_TIME = timedelta(hours=1)


class OutOfTimeError(Exception):
    """The invocation's time ends before the file does; the next attempt goes on where this one stopped."""


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    key: str
    etag: str = Field(default="", alias="eTag")
    sequencer: str = ""


class _Bucket(BaseModel):
    name: str


class _S3(BaseModel):
    bucket: _Bucket
    object: _Object


class DroppedFile(BaseModel):
    """One record of an S3 event: a file that was put into the drop bucket."""

    event_time: datetime = Field(alias="eventTime")
    s3: _S3

    @property
    def key(self) -> str:
        """Where it lies; events carry keys in URL encoding."""
        return unquote_plus(self.s3.object.key)

    @property
    def partner_id(self) -> str:
        """Whose it is: `drops/<partnerId>/...`; empty for any other place."""
        parts = self.key.split("/")
        return parts[1] if len(parts) > 2 and parts[0] == DROPS else ""  # noqa: PLR2004 - with a name after it

    @property
    def upload_id(self) -> str | None:
        """The ingestion that its upload was announced by; None: it came some other way."""
        parts = self.key.split("/")
        return parts[3] if len(parts) == 4 and parts[2] == UPLOADS else None  # noqa: PLR2004 - no folder below

    @property
    def content(self) -> str:
        """Names this content at this key; the same for every delivery of the event."""
        written = f"{self.s3.object.etag}\n{self.s3.object.sequencer}"
        return sha256(written.encode()).hexdigest()[:16]


def new_ingestion_id(moment: datetime, what: str) -> str:
    """An id that begins with a time, so that ids sort by it; the same for the same moment and thing."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}-{sha256(what.encode()).hexdigest()[:12]}"


def begin_upload(ports: IngestPorts, partner_id: str, file_name: str, now: datetime, nonce: str) -> UploadAnswer:
    """Announce a file: its ingestion, and the address to PUT it to while that works.

    Raises a 409 problem in the one case in a great many that the id is taken.
    """
    until = now + UPLOAD_TIME
    ingestion = Ingestion(
        ingestion_id=new_ingestion_id(now, nonce),
        partner_id=partner_id,
        source=IngestionSource.UPLOAD,
        file_name=file_name,
        created_at=now,
        upload_until=until,
        as_of=now if ports.settings.allow_simulated_time else None,
    )
    if not ports.ingestions.begin(ingestion):
        raise ProblemError(HTTPStatus.CONFLICT, "Try again.")
    key = f"{DROPS}/{partner_id}/{UPLOADS}/{ingestion.ingestion_id}"
    url = ports.s3.generate_presigned_url(
        "put_object",
        Params={"Bucket": ports.settings.drop_bucket, "Key": key},
        ExpiresIn=int(UPLOAD_TIME.total_seconds()),
    )
    return UploadAnswer(ingestion_id=ingestion.ingestion_id, upload_url=url, expires_at=until)


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first reading found: the schema, and the statements that come twice, by their places."""

    schema: FileSchema | None
    repeated: dict[int, StatementRow]


@dataclass(frozen=True, slots=True)
class FileIntake:
    """Takes in one file. `time_is_up` says when to stop, so that the next attempt goes on."""

    ports: IngestPorts
    file: DroppedFile
    now: datetime
    time_is_up: Callable[[], bool]

    def run(self) -> Ingestion | None:
        """Take the file in; None: it is nobody's, or was taken in before.

        Raises OutOfTimeError. Whatever else is raised, the next attempt goes on where this one stopped.
        """
        ingestion = self._ingestion()
        if ingestion is None or ingestion.status is not IngestionStatus.PROCESSING:
            return None
        try:
            survey = self._survey()
        except (NotJsonError, InvalidFileError) as error:
            return self._finished(ingestion, IngestionStatus.FAILED, problem_of(error))
        return self._take_in(ingestion, survey)

    def _ingestion(self) -> Ingestion | None:
        """The ingestion of this file, begun if there is none yet."""
        ingestions, partner_id = self.ports.ingestions, self.file.partner_id
        if not partner_id or self.ports.organizations.partner(partner_id) is None:
            return None
        upload_id = self.file.upload_id
        announced = ingestions.get(partner_id, upload_id) if upload_id else None
        ingestion_id = new_ingestion_id(self.file.event_time, f"{self.file.key}\n{self.file.content}")
        known = announced or ingestions.get(partner_id, ingestion_id)
        if known is None:
            known = Ingestion(
                ingestion_id=ingestion_id,
                partner_id=partner_id,
                source=IngestionSource.DROP,
                file_name=self.file.key.rpartition("/")[2],
                created_at=self.now,
                content=self.file.content,
            )
            ingestions.begin(known)
        if known.content != self.file.content and known.status is IngestionStatus.PROCESSING:
            # The first file under an announced upload, or another put over one that isn't done: from its beginning.
            known = replace(known, content=self.file.content, counts=Counts())
            ingestions.save(known)
        return known

    def _survey(self) -> Survey:
        file = self._open()
        again = repeated(file.statements())
        schema = file.schema
        return Survey(schema, {} if schema is FileSchema.PAYMENT_UPDATES else again)

    def _open(self) -> StatementFile:
        s3: S3Client = self.ports.s3
        body = s3.get_object(Bucket=self.file.s3.bucket.name, Key=self.file.key)["Body"]
        return StatementFile(decoded_chunks(body.iter_chunks(READ_BYTES)))

    def _take_in(self, ingestion: Ingestion, survey: Survey) -> Ingestion:
        intake = Intake(
            books=self.ports.books,
            organizations=self.ports.organizations,
            numbers=self.ports.numbers,
            partner_id=ingestion.partner_id,
            ingestion_id=ingestion.ingestion_id,
            schema=survey.schema,
            now=ingestion.as_of or self.now,
        )
        for chunk in self._chunks(ingestion.counts.total):
            if self.time_is_up():
                raise OutOfTimeError
            first = ingestion.counts.total
            known = {n: survey.repeated[first + n] for n in range(len(chunk)) if first + n in survey.repeated}
            rows = intake.take(chunk, known)
            self.ports.ingestions.save_rows(ingestion.partner_id, ingestion.ingestion_id, first, rows)
            ingestion = replace(ingestion, counts=ingestion.counts.plus(rows))
            self.ports.ingestions.save(ingestion)
        return self._finished(ingestion, IngestionStatus.SUCCESS)

    def _chunks(self, done: int) -> Iterator[tuple[RawStatement, ...]]:
        return batched(islice(self._open().statements(), done, None), STATEMENTS_TOGETHER, strict=False)

    def _finished(self, ingestion: Ingestion, status: IngestionStatus, problem: str = "") -> Ingestion:
        done = replace(ingestion, status=status, problem=problem, finished_at=ingestion.as_of or self.now)
        self.ports.ingestions.save(done)
        return done


def problem_of(error: NotJsonError | InvalidFileError) -> str:
    """Why a file as a whole can't be taken, in a sentence."""
    if isinstance(error, NotJsonError):
        return f"The file is neither one JSON document nor NDJSON. {error.detail}"
    return " ".join(f"{remark.pointer or 'The document'} {remark.detail}." for remark in error.errors)
