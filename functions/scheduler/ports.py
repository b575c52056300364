"""What the scheduler works with, made once a process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from functions.scheduler.inheritance import Inheritance
from functions.scheduler.replanning import Replanning
from functions.scheduler.settings import SchedulerSettings
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.messaging.files_at_ingest import FilesAtIngest
from shared.messaging.webhook_queue import WebhookQueue
from shared.storage.account_books import AccountBooks
from shared.storage.background_jobs import BackgroundJobs
from shared.storage.channel_gates import ChannelGates
from shared.storage.due_index import DueIndex
from shared.storage.ledger_checks import LedgerChecks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.outbox import EventOutbox
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.queue_lists import QueueLists
from shared.storage.set_asides import SetAsides
from shared.storage.shard_leases import ShardLeases
from shared.storage.stops import Stops
from shared.storage.webhooks import Webhooks

if TYPE_CHECKING:
    from functions.scheduler.roll_up import RollUp


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
    configurations: OwnConfigurations
    jobs: BackgroundJobs
    lists: QueueLists
    ledger_checks: LedgerChecks
    queues: ChannelQueues
    outbox: EventOutbox
    webhooks: Webhooks
    webhook_queue: WebhookQueue

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
        return Inheritance(self.jobs, self.organizations, self.defaults, self.configurations)

    def roll_up(self, now: datetime, time_is_up: Callable[[], bool]) -> "RollUp":
        """What rolls reports up at an instant. It is imported, and the bucket's client made, once an hour."""
        from functions.scheduler.roll_up import RollUp  # noqa: PLC0415 - no sweep needs it
        from shared.storage.reports import Reports  # noqa: PLC0415 - as above

        return RollUp(
            books=self.books,
            organizations=self.organizations,
            reports=Reports(self.books.client, self.books.table),
            client=clients.s3(),
            bucket=self.settings.print_bucket,
            now=now,
            time_is_up=time_is_up,
        )


@cache
def ports() -> SchedulerPorts:
    """Read the settings and make the clients."""
    settings = SchedulerSettings.from_environment()
    table, sqs = (clients.dynamodb(), settings.table_name), clients.sqs()
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
        configurations=OwnConfigurations(*table),
        jobs=BackgroundJobs(*table),
        lists=QueueLists(*table),
        ledger_checks=LedgerChecks(*table),
        queues=ChannelQueues(sqs, settings.queue_urls),
        outbox=EventOutbox(*table),
        webhooks=Webhooks(*table),
        webhook_queue=WebhookQueue(sqs, settings.webhook_queue_url),
    )
