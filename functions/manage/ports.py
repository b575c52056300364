"""What the function works with, made once a process."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from secrets import token_bytes
from typing import TYPE_CHECKING

from functions.manage.settings import ManageSettings
from shared.http.cursors import Cursors
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.account_lists import AccountLists
from shared.storage.audit_trail import AuditTrail
from shared.storage.channel_gates import ChannelGates
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.payment_lists import PaymentLists
from shared.storage.print_batches import PrintBatches
from shared.storage.queue_lists import QueueLists
from shared.storage.request_permits import RequestPermits
from shared.storage.search_entries import search_key
from shared.storage.stack_keys import StackKeys
from shared.storage.stops import Stops
from shared.storage.tasks import Tasks

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class ManagePorts:
    """The function's settings and its stores."""

    settings: ManageSettings
    organizations: Organizations
    defaults: PartnersDefaults
    books: AccountBooks
    notices: Notices
    numbers: Numbers
    lists: QueueLists
    payments: PaymentLists
    tasks: Tasks
    print_batches: PrintBatches
    stops: Stops
    idempotency: IdempotencyRecords
    permits: RequestPermits
    stack_keys: StackKeys
    audit: AuditTrail
    account_lists: AccountLists
    links: Links
    search_key: Callable[[], bytes]

    @cached_property
    def cursors(self) -> Cursors:
        """The cursors of lists. Their key is read at the first one: most requests need none."""
        return Cursors(self.stack_keys.of("cursors", token_bytes))

    @cached_property
    def s3(self) -> "S3Client":
        """A client of the print bucket, made at the first letter that somebody looks at."""
        return clients.s3()


@cache
def ports() -> ManagePorts:
    """Read the settings and make the client."""
    settings = ManageSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    stack_keys = StackKeys(*table)
    hashing = search_key(stack_keys, token_bytes)
    return ManagePorts(
        settings=settings,
        organizations=Organizations(*table),
        defaults=PartnersDefaults(*table),
        books=AccountBooks(*table, search_key=hashing),
        notices=Notices(*table),
        numbers=Numbers(*table),
        lists=QueueLists(*table),
        payments=PaymentLists(*table),
        tasks=Tasks(*table),
        print_batches=PrintBatches(*table),
        stops=Stops(ChannelGates(*table)),
        idempotency=IdempotencyRecords(*table),
        permits=RequestPermits(*table),
        stack_keys=stack_keys,
        audit=AuditTrail(*table),
        account_lists=AccountLists(*table),
        links=Links(*table),
        search_key=hashing,
    )
