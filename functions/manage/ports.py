"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property
from secrets import token_bytes

from functions.manage.settings import ManageSettings
from shared.http.cursors import Cursors
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.own_templates import OwnTemplates
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.payment_lists import PaymentLists
from shared.storage.print_batches import PrintBatches
from shared.storage.queue_lists import QueueLists
from shared.storage.stack_keys import StackKeys
from shared.storage.stops import Stops
from shared.storage.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class ManagePorts:
    """The function's settings and its stores."""

    settings: ManageSettings
    organizations: Organizations
    defaults: PartnersDefaults
    configurations: OwnConfigurations
    templates: OwnTemplates
    books: AccountBooks
    notices: Notices
    numbers: Numbers
    lists: QueueLists
    payments: PaymentLists
    tasks: Tasks
    print_batches: PrintBatches
    stops: Stops
    idempotency: IdempotencyRecords
    stack_keys: StackKeys

    @cached_property
    def queues(self) -> ChannelQueues:
        """The channels' queues. Their client is made at the first test message: most requests send none."""
        return ChannelQueues(clients.sqs(), self.settings.queue_urls)

    @cached_property
    def cursors(self) -> Cursors:
        """The cursors of lists. Their key is read at the first one: most requests need none."""
        return Cursors(self.stack_keys.of("cursors", token_bytes))


@cache
def ports() -> ManagePorts:
    """Read the settings and make the client."""
    settings = ManageSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return ManagePorts(
        settings=settings,
        organizations=Organizations(*table),
        defaults=PartnersDefaults(*table),
        configurations=OwnConfigurations(*table),
        templates=OwnTemplates(*table),
        books=AccountBooks(*table),
        notices=Notices(*table),
        numbers=Numbers(*table),
        lists=QueueLists(*table),
        payments=PaymentLists(*table),
        tasks=Tasks(*table),
        print_batches=PrintBatches(*table),
        stops=Stops(ChannelGates(*table)),
        idempotency=IdempotencyRecords(*table),
        stack_keys=StackKeys(*table),
    )
