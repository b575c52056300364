"""What the function works with, made once a process."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from secrets import token_bytes
from typing import TYPE_CHECKING

from functions.manage.settings import ManageSettings
from shared.http.cursors import Cursors
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.messaging.webhook_secrets import WebhookSecrets
from shared.processors.secret_values import SecretValues
from shared.processors.stripe_account import StripeAccounts
from shared.storage.account_books import AccountBooks
from shared.storage.account_lists import AccountLists
from shared.storage.audit_trail import AuditTrail
from shared.storage.channel_gates import ChannelGates
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.own_templates import OwnTemplates
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.payment_lists import PaymentLists
from shared.storage.print_batches import PrintBatches
from shared.storage.queue_lists import QueueLists
from shared.storage.reports import Reports
from shared.storage.request_permits import RequestPermits
from shared.storage.search_entries import search_key
from shared.storage.stack_keys import StackKeys
from shared.storage.staff_directory import StaffDirectory
from shared.storage.stops import Stops
from shared.storage.tasks import Tasks
from shared.storage.webhooks import Webhooks

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class ManagePorts:
    """The function's settings and its stores."""

    settings: ManageSettings
    organizations: Organizations
    defaults: PartnersDefaults
    configurations: OwnConfigurations
    templates: OwnTemplates
    books: AccountBooks
    links: Links
    notices: Notices
    numbers: Numbers
    lists: QueueLists
    payments: PaymentLists
    tasks: Tasks
    print_batches: PrintBatches
    reports: Reports
    stops: Stops
    idempotency: IdempotencyRecords
    webhooks: Webhooks
    staff: StaffDirectory
    permits: RequestPermits
    stack_keys: StackKeys
    audit: AuditTrail
    account_lists: AccountLists
    search_key: Callable[[], bytes]

    @cached_property
    def queues(self) -> ChannelQueues:
        """The channels' queues. Their client is made at the first test message: most requests send none."""
        return ChannelQueues(clients.sqs(), self.settings.queue_urls)

    @cached_property
    def cursors(self) -> Cursors:
        """The cursors of lists. Their key is read at the first one: most requests need none."""
        return Cursors(self.stack_keys.of("cursors", token_bytes))

    @cached_property
    def s3(self) -> "S3Client":
        """A client of the print bucket, made at the first letter that somebody looks at."""
        return clients.s3()

    @property
    def stripe(self) -> StripeAccounts:
        """The organizations' Stripe accounts, for refunds. Their secrets' client is made at the first one."""
        return StripeAccounts(SecretValues(clients.secrets()), self.settings.stripe_api_url)

    @property
    def webhook_secrets(self) -> WebhookSecrets:
        """What seals the secrets of webhook endpoints. Its client is made at the first: few requests make one."""
        return WebhookSecrets(clients.kms(), self.settings.webhook_key)


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
        configurations=OwnConfigurations(*table),
        templates=OwnTemplates(*table),
        books=AccountBooks(*table, search_key=hashing),
        notices=Notices(*table),
        numbers=Numbers(*table),
        lists=QueueLists(*table),
        payments=PaymentLists(*table),
        tasks=Tasks(*table),
        print_batches=PrintBatches(*table),
        reports=Reports(*table),
        stops=Stops(ChannelGates(*table)),
        idempotency=IdempotencyRecords(*table),
        webhooks=Webhooks(*table),
        staff=StaffDirectory(*table),
        permits=RequestPermits(*table),
        stack_keys=stack_keys,
        audit=AuditTrail(*table),
        account_lists=AccountLists(*table),
        links=Links(*table),
        search_key=hashing,
    )
