"""What the function is told by its environment, and what it works with."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.print_batches import PrintBatches
from shared.storage.queue_lists import QueueLists

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ManageSettings(BaseModel):
    """The function's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
    allow_simulated_time: bool = False
    sandbox_processor_url: str = ""


@dataclass(frozen=True)
class ManagePorts:
    """The settings and the stores of the table that they name."""

    settings: ManageSettings
    client: "DynamoDBClient"

    @cached_property
    def organizations(self) -> Organizations:
        """Partners and organizations."""
        return Organizations(self.client, self.settings.table_name)

    @cached_property
    def defaults(self) -> PartnersDefaults:
        """What partners' organizations inherit."""
        return PartnersDefaults(self.client, self.settings.table_name)

    @cached_property
    def books(self) -> AccountBooks:
        """Account books."""
        return AccountBooks(self.client, self.settings.table_name)

    @cached_property
    def notices(self) -> Notices:
        """Ledger rows."""
        return Notices(self.client, self.settings.table_name)

    @cached_property
    def lists(self) -> QueueLists:
        """Lists of bills and notices."""
        return QueueLists(self.client, self.settings.table_name)

    @cached_property
    def print_batches(self) -> PrintBatches:
        """Daily batches of letters."""
        return PrintBatches(self.client, self.settings.table_name)

    @cached_property
    def idempotency(self) -> IdempotencyRecords:
        """Answers given before."""
        return IdempotencyRecords(self.client, self.settings.table_name)


@cache
def dependencies() -> ManagePorts:
    """Read the settings and make the client, once a process."""
    return ManagePorts(ManageSettings.model_validate(dict(os.environ)), clients.dynamodb())
