"""Files that come into the drop bucket, announced or not, and the ingestion that each of them begins."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field

from functions.ingest.file_intake import lease_from
from functions.ingest.ports import IngestPorts
from shared.contracts.ingestions import UploadAnswer
from shared.domain.records.file_reading import FileReading
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus
from shared.http.problems import ProblemError

DROPS = "drops"
UPLOADS = "uploads"
UPLOAD_TIME = timedelta(hours=1)

TEMPORARY_NAME = re.compile(
    r"[.~#].*|.*~|.*\.(filepart|part|partial|tmp|temp|crdownload|download|swp|upload|uploading|writing|lock)",
    re.IGNORECASE,
)
"""Names that programs give to what they are still writing: WinSCP, rsync, lftp, browsers, editors."""

HAS_TEMPORARY_NAME = "Its name is that of an upload that isn't finished. Rename the file when it is whole."


class FileContestedError(Exception):
    """Another invocation began or changed the same ingestion just now; the event has to be handled again."""


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
    def is_folder_marker(self) -> bool:
        """Whether it only stands for a folder: SFTP's `mkdir` makes an object of no bytes."""
        return self.key.endswith("/")

    @property
    def has_temporary_name(self) -> bool:
        """Whether its name says that it isn't whole yet (docs/rules.md#unfinished-file)."""
        return TEMPORARY_NAME.fullmatch(self.key.rpartition("/")[2]) is not None

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


def ingestion_of(ports: IngestPorts, file: DroppedFile, now: datetime) -> Ingestion | None:
    """The ingestion of a file, begun if there is none yet; None: it is nobody's file, or no file at all.

    Raises FileContestedError if another invocation changes the ingestion at the same time.
    """
    partner_id = file.partner_id
    if not partner_id or file.is_folder_marker or ports.organizations.partner(partner_id) is None:
        return None
    announced = ports.ingestions.get(partner_id, file.upload_id) if file.upload_id else None
    ingestion_id = new_ingestion_id(file.event_time, f"{file.key}\n{file.content}")
    known = announced or ports.ingestions.get(partner_id, ingestion_id)
    if known is None:
        known = _begun(file, ingestion_id, now)
        if not ports.ingestions.begin(known):
            return ports.ingestions.get(partner_id, ingestion_id)
    elif known.status is IngestionStatus.PROCESSING and (known.content != file.content or not known.reading.key):
        # The first file under an announced upload, another put over one that isn't done, or one begun by a version
        # that noted no place: from its beginning.
        due_at = lease_from(known, now)
        anew = replace(known, content=file.content, counts=Counts(), reading=FileReading(key=file.key), due_at=due_at)
        stored = ports.ingestions.move_on(anew)
        if stored is None:
            raise FileContestedError
        known = stored
    return known


def _begun(file: DroppedFile, ingestion_id: str, now: datetime) -> Ingestion:
    """A new ingestion of a dropped file, which the clockwork takes up if this invocation breaks off."""
    begun = Ingestion(
        ingestion_id=ingestion_id,
        partner_id=file.partner_id,
        source=IngestionSource.DROP,
        file_name=file.key.rpartition("/")[2],
        created_at=file.event_time,
        content=file.content,
        reading=FileReading(key=file.key),
    )
    if file.has_temporary_name:
        return replace(begun, status=IngestionStatus.FAILED, problem=HAS_TEMPORARY_NAME, finished_at=now)
    return replace(begun, due_at=lease_from(begun, now))
