"""Puts letters into the print bucket: a PDF and a JSON print job, each written at most once.

Both keys are made of the notice's id alone. A notice that is tried again, because an answer was lost or a function
died, finds its letter there and doesn't make another one: whoever prints what is in the bucket prints it once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.domain.delivery.orders import Accepted, Order, ProviderAnswer
from shared.domain.records.notice import StoredLetter
from shared.messaging.errors import MessageProvider, answer_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.render_print.print_job import Letter


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """Sets letters and puts them into the print bucket. `base_url`: where patients reach us."""

    client: "S3Client"
    bucket: str
    base_url: str

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        """Set the letter. Calling what is answered stores it, unless it is there already.

        Raises NotComposedError where a name or address can't be printed.
        """
        from functions.render_print.print_job import set_letter  # noqa: PLC0415 - typst, fonts: the start needs none

        return partial(self._store, set_letter(order, self.base_url))

    def _store(self, letter: "Letter") -> ProviderAnswer:
        key = letter.job.pdf.removesuffix(".pdf")
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
