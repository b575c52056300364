"""Letters as a print shop takes them: a PDF and a JSON print job in the bucket, each written at most once.

Both keys are made of the notice's id alone. A notice that is tried again, because an answer was lost or a function
died, finds its letter there and doesn't make another one: whoever prints what is in the bucket prints it once.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from functions.render_print.statement_contents import statement_page
from functions.render_print.statement_pdf import render
from shared.domain.delivery.orders import Accepted, NotComposedError, Order, ProviderAnswer
from shared.domain.records.notice import StoredLetter
from shared.domain.vocabulary.reasons import Reason
from shared.messaging.errors import MessageProvider, answer_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NAME = re.compile(
    r"/recipient_name|/recipient_address_lines/\d+|/bills/\d+/(?:patient_name|visits/\d+/provider)|/practice/(?:name|\w+_lines/\d+)"
)
"""The fields of a page that name people and places."""

_PAGE_COUNTS = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)")


class PrintJob(BaseModel):
    """What the print shop needs to know of a letter. Whom it goes to stands in the PDF only."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    print_job_id: str
    org_id: str
    notification_id: str
    pdf: str
    pages: int
    sha256: str
    recipient_block: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be stored, and what is stored with its PDF for a repeat to find."""

    pdf: bytes
    job: PrintJob
    link_id: str

    @property
    def facts(self) -> dict[str, str]:
        """The PDF's metadata in the bucket."""
        return {"sha256": self.job.sha256, "pages": str(self.job.pages), "link-id": self.link_id}


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """Sets letters and puts them into the print bucket. `base_url`: where patients reach us."""

    client: "S3Client"
    bucket: str
    base_url: str

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        """Set the letter. Calling what is answered stores it, unless it is there already.

        Raises NotComposedError where a name or address can't be printed: a letter to a box helps nobody
        (docs/rules.md#names-that-can-be-printed).
        """
        rendered = render(statement_page(order, self.base_url))
        if any(map(_NAME.fullmatch, rendered.not_shown)):
            raise NotComposedError(Reason.UNPRINTABLE)
        pdf = rendered.pdf
        notice = order.notice
        key = letter_key(notice.org_id, notice.notice_id)
        job = PrintJob(
            print_job_id=notice.notice_id,
            org_id=notice.org_id,
            notification_id=notice.notice_id,
            pdf=f"{key}.pdf",
            pages=page_count(pdf),
            sha256=hashlib.sha256(pdf).hexdigest(),
            recipient_block=order.contact.address is not None,
            created_at=order.now,
        )
        return partial(self._store, key, Letter(pdf, job, order.link.link.link_id))

    def _store(self, key: str, letter: Letter) -> ProviderAnswer:
        try:
            facts: Mapping[str, str] = letter.facts
            if not self._put(letter.job.pdf, letter.pdf, "application/pdf", facts):
                # An earlier attempt's letter stays; the job must describe that one.
                facts = self.client.head_object(Bucket=self.bucket, Key=letter.job.pdf)["Metadata"]
            job = letter.job.model_copy(update={"sha256": facts["sha256"], "pages": int(facts["pages"])})
            # The job comes last: the print shop takes its appearance for the word to go.
            self._put(f"{key}.json", job.model_dump_json(by_alias=True, indent=2).encode(), "application/json", {})
        except Exception as error:  # noqa: BLE001 - the table knows them; writing again is always safe
            return answer_of(error, MessageProvider.STORE)
        stored = StoredLetter(pages=job.pages, sha256=job.sha256)
        return Accepted(message_id=f"{key}.json", link_id=facts["link-id"], letter=stored)

    def _put(self, key: str, body: bytes, content_type: str, facts: Mapping[str, str]) -> bool:
        return put_once(self.client, self.bucket, key, body, content_type, facts)


def letter_key(org_id: str, notice_id: str) -> str:
    """Where a letter lies in the bucket, its PDF and its job, without their endings."""
    return f"letters/{org_id}/{notice_id}"


def put_once(
    client: "S3Client", bucket: str, key: str, body: bytes, content_type: str, facts: Mapping[str, str]
) -> bool:
    """Write an object that isn't there yet. False: it is, which closes the race of two who would write it."""
    try:
        client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, Metadata=facts, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] == "PreconditionFailed":
            return False
        raise
    return True


def page_count(pdf: bytes) -> int:
    """How many pages typst set: its page tree is plain text in the file. Raises ValueError where it isn't."""
    return max(int(count) for count in _PAGE_COUNTS.findall(pdf))
