"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property
from secrets import token_bytes

from functions.manage.settings import ManageSettings
from shared.http.cursors import Cursors
from shared.messaging import clients
from shared.messaging.webhook_secrets import WebhookSecrets
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.payment_lists import PaymentLists
from shared.storage.print_batches import PrintBatches
from shared.storage.queue_lists import QueueLists
from shared.storage.stack_keys import StackKeys
from shared.storage.staff_directory import StaffDirectory
from shared.storage.stops import Stops
from shared.storage.tasks import Tasks
from shared.storage.webhooks import Webhooks


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
    webhooks: Webhooks
    staff: StaffDirectory
    stack_keys: StackKeys

    @cached_property
    def cursors(self) -> Cursors:
        """The cursors of lists. Their key is read at the first one: most requests need none."""
        return Cursors(self.stack_keys.of("cursors", token_bytes))

    @cached_property
    def webhook_secrets(self) -> WebhookSecrets:
        """What seals the secrets of webhook endpoints. Its client is made at the first: few requests make one."""
        return WebhookSecrets(clients.kms(), self.settings.webhook_key)


@cache
def ports() -> ManagePorts:
    """Read the settings and make the client."""
    settings = ManageSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return ManagePorts(
        settings=settings,
        organizations=Organizations(*table),
        defaults=PartnersDefaults(*table),
        books=AccountBooks(*table),
        notices=Notices(*table),
        numbers=Numbers(*table),
        lists=QueueLists(*table),
        payments=PaymentLists(*table),
        tasks=Tasks(*table),
        print_batches=PrintBatches(*table),
        stops=Stops(ChannelGates(*table)),
        idempotency=IdempotencyRecords(*table),
        webhooks=Webhooks(*table),
        staff=StaffDirectory(*table),
        stack_keys=StackKeys(*table),
    )
