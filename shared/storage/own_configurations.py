"""A partner's own dunning configurations.

They lie beside the partner's defaults, and each change of one raises the version of those. Every write of an
organization is judged by that version, so none takes up a configuration that was changed or deleted meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from shared.domain.records.audit import AuditEntry
from shared.domain.records.inheritance import PartnerDefaults, with_latest
from shared.domain.records.policy import DunningConfiguration
from shared.storage import items, keys
from shared.storage.audit_trail import audit_writes
from shared.storage.items import Item, number, text
from shared.storage.partner_defaults import DefaultsChangedError, PartnersDefaults, defaults_raised
from shared.storage.records import Records
from shared.storage.writes import NEW, at_version, delete, put, transact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class OwnConfigurations:
    """The own configurations of the partners of one table."""

    client: "DynamoDBClient"
    table: str

    def get(self, partner_id: str, configuration_id: str) -> DunningConfiguration | None:
        """A partner's configuration; None: it has none with this id."""
        sort_key = keys.dunning_configuration(configuration_id)
        return Records(self.client, self.table).get(DunningConfiguration, keys.defaults(partner_id), sort_key)

    def list(self, partner_id: str) -> list[DunningConfiguration]:
        """All of a partner's configurations, by their ids."""
        query = self.client.get_paginator("query")
        found = query.paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :partner AND begins_with(sk, :kind)",
            ExpressionAttributeValues={
                ":partner": text(keys.defaults(partner_id)),
                ":kind": text(keys.CONFIGURATION_SORT),
            },
            ConsistentRead=True,
        )
        rows: Iterator[Item] = chain.from_iterable(page["Items"] for page in found)
        return [items.unpack(DunningConfiguration, row["body"]) for row in rows]

    def create(self, configuration: DunningConfiguration, audit: AuditEntry | None = None) -> bool:
        """Store a new configuration, with what tells of it (`audit`). False: there is one with its id."""
        return transact(self.client, [put(self.table, _item(configuration), NEW), *audit_writes(self.table, audit)])

    def change(
        self,
        configuration: DunningConfiguration,
        defaults: PartnerDefaults,
        now: datetime,
        audit: AuditEntry | None = None,
    ) -> DunningConfiguration:
        """Store a configuration's next version, and answer it. Raises DefaultsChangedError.

        In the same transaction the partner's defaults take it up, where they choose it, and the job is written that
        has every organization that chose it take it up, and plan its accounts again; and what tells of it
        (`audit`).
        """
        after = replace(configuration, version=configuration.version + 1)
        defaults_after = replace(defaults, dunning=with_latest(defaults.dunning, after))
        # Closes the race of two changes: the later would take the other's place without having seen it.
        write = put(self.table, _item(after), at_version(configuration.version))
        PartnersDefaults(self.client, self.table).save(defaults_after, now, audit, with_them=(write,))
        return after

    def delete(
        self, configuration: DunningConfiguration, defaults: PartnerDefaults, audit: AuditEntry | None = None
    ) -> None:
        """Delete a configuration that nobody has chosen, by these defaults. Raises DefaultsChangedError.

        `audit`: tells of it in the same transaction.
        """
        key = items.key(
            keys.defaults(configuration.partner_id), keys.dunning_configuration(configuration.configuration_id)
        )
        # The defaults close the race with an organization that chooses it (Organizations.save, `choosing`).
        gone = delete(self.table, key, at_version(configuration.version))
        told = audit_writes(self.table, audit)
        if not transact(self.client, [gone, defaults_raised(self.table, defaults), *told]):
            raise DefaultsChangedError


def _item(configuration: DunningConfiguration) -> Item:
    return {
        **items.key(
            keys.defaults(configuration.partner_id), keys.dunning_configuration(configuration.configuration_id)
        ),
        "version": number(configuration.version),
        "body": items.pack(DunningConfiguration, configuration),
    }
