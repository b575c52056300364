"""Letters as a print shop takes them: a PDF and a JSON print job."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from functions.render_print.statement_contents import statement_page
from functions.render_print.statement_pdf import render
from shared.domain.delivery.orders import NotComposedError, Order
from shared.domain.delivery.print_batch import letter_key
from shared.domain.vocabulary.reasons import Reason

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


def set_letter(order: Order, base_url: str) -> Letter:
    """Set an order's letter. `base_url`: where patients reach us.

    Raises NotComposedError where a name or address can't be printed: a letter to a box helps nobody
    (docs/rules.md#names-that-can-be-printed).
    """
    rendered = render(statement_page(order, base_url))
    if any(map(_NAME.fullmatch, rendered.not_shown)):
        raise NotComposedError(Reason.UNPRINTABLE)
    notice = order.notice
    job = PrintJob(
        print_job_id=notice.notice_id,
        org_id=notice.org_id,
        notification_id=notice.notice_id,
        pdf=f"{letter_key(notice.org_id, notice.notice_id)}.pdf",
        pages=page_count(rendered.pdf),
        sha256=hashlib.sha256(rendered.pdf).hexdigest(),
        recipient_block=order.contact.address is not None,
        created_at=order.now,
    )
    return Letter(rendered.pdf, job, order.link.link.link_id)


def page_count(pdf: bytes) -> int:
    """How many pages typst set: its page tree is plain text in the file. Raises ValueError where it isn't."""
    return max(int(count) for count in _PAGE_COUNTS.findall(pdf))
