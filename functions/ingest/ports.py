"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property
from secrets import token_bytes
from typing import TYPE_CHECKING

from functions.ingest.settings import IngestSettings
from shared.http.cursors import Cursors
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.file_surveys import FileSurveys
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.ingestions import Ingestions
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.request_permits import RequestPermits
from shared.storage.search_entries import search_key
from shared.storage.stack_keys import StackKeys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class IngestPorts:
    """The function's settings, its stores and the bucket for files."""

    settings: IngestSettings
    organizations: Organizations
    books: AccountBooks
    ingestions: Ingestions
    surveys: FileSurveys
    idempotency: IdempotencyRecords
    permits: RequestPermits
    numbers: Numbers
    stack_keys: StackKeys

    @cached_property
    def cursors(self) -> Cursors:
        """The cursors of lists. Their key is read at the first one: most requests need none."""
        return Cursors(self.stack_keys.of("cursors", token_bytes))

    @cached_property
    def s3(self) -> "S3Client":
        """A client of the bucket for files, made at its first use: most requests need none."""
        return clients.s3()


@cache
def ports() -> IngestPorts:
    """Read the settings and make the client of the table."""
    settings = IngestSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    stack_keys = StackKeys(*table)
    return IngestPorts(
        settings=settings,
        organizations=Organizations(*table),
        books=AccountBooks(*table, search_key=search_key(stack_keys, token_bytes)),
        ingestions=Ingestions(*table),
        surveys=FileSurveys(*table),
        idempotency=IdempotencyRecords(*table),
        permits=RequestPermits(*table),
        numbers=Numbers(*table),
        stack_keys=stack_keys,
    )
