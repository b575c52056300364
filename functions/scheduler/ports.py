"""What the scheduler works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property

from functions.scheduler.inheritance import Inheritance
from functions.scheduler.replanning import Replanning
from functions.scheduler.settings import SchedulerSettings
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.messaging.files_at_ingest import FilesAtIngest
from shared.storage.account_books import AccountBooks
from shared.storage.background_jobs import BackgroundJobs
from shared.storage.channel_gates import ChannelGates
from shared.storage.due_index import DueIndex
from shared.storage.ledger_checks import LedgerChecks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.queue_lists import QueueLists
from shared.storage.set_asides import SetAsides
from shared.storage.shard_leases import ShardLeases
from shared.storage.stops import Stops


@dataclass(frozen=True, kw_only=True)
class SchedulerPorts:
    """The scheduler's settings, its stores and the channels' queues."""

    settings: SchedulerSettings
    due_index: DueIndex
    shard_leases: ShardLeases
    set_asides: SetAsides
    stops: Stops
    books: AccountBooks
    notices: Notices
    organizations: Organizations
    defaults: PartnersDefaults
    jobs: BackgroundJobs
    lists: QueueLists
    ledger_checks: LedgerChecks
    queues: ChannelQueues

    @cached_property
    def files(self) -> FilesAtIngest:
        """Who goes on with statement files. Its client is made at the first: most sweeps have none."""
        return FilesAtIngest(clients.lambda_functions(), self.settings.ingest_function)

    @property
    def replanning(self) -> Replanning:
        """What has an organization's accounts planned again."""
        return Replanning(self.jobs, self.books)

    @property
    def inheritance(self) -> Inheritance:
        """What passes a partner's defaults on."""
        return Inheritance(self.jobs, self.organizations, self.defaults)


@cache
def ports() -> SchedulerPorts:
    """Read the settings and make the clients."""
    settings = SchedulerSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return SchedulerPorts(
        settings=settings,
        due_index=DueIndex(*table),
        shard_leases=ShardLeases(*table),
        set_asides=SetAsides(*table),
        stops=Stops(ChannelGates(*table)),
        books=AccountBooks(*table),
        notices=Notices(*table),
        organizations=Organizations(*table),
        defaults=PartnersDefaults(*table),
        jobs=BackgroundJobs(*table),
        lists=QueueLists(*table),
        ledger_checks=LedgerChecks(*table),
        queues=ChannelQueues(clients.sqs(), settings.queue_urls),
    )
