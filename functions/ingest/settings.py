"""What the function is told by its environment, and what it works with."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.ingestions import Ingestions
from shared.storage.organizations import Organizations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


class IngestSettings(BaseModel):
    """The function's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
    drop_bucket: str
    allow_simulated_time: bool = False


@dataclass(frozen=True)
class IngestPorts:
    """The settings, and the stores that they name."""

    settings: IngestSettings
    client: "DynamoDBClient"

    @cached_property
    def s3(self) -> "S3Client":
        """A client of the bucket for files; most requests need none."""
        return clients.s3()

    @cached_property
    def organizations(self) -> Organizations:
        """Partners and organizations."""
        return Organizations(self.client, self.settings.table_name)

    @cached_property
    def books(self) -> AccountBooks:
        """Account books."""
        return AccountBooks(self.client, self.settings.table_name)

    @cached_property
    def ingestions(self) -> Ingestions:
        """Files and what became of them."""
        return Ingestions(self.client, self.settings.table_name)

    @cached_property
    def idempotency(self) -> IdempotencyRecords:
        """Answers given before."""
        return IdempotencyRecords(self.client, self.settings.table_name)


@cache
def dependencies() -> IngestPorts:
    """Read the settings and make the client, once a process."""
    return IngestPorts(IngestSettings.model_validate(dict(os.environ)), clients.dynamodb())
