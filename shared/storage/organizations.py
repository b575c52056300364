"""Partners and their organizations."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.records.audit import AuditEntry
from shared.domain.records.inheritance import PartnerDefaults
from shared.domain.records.partner import Partner
from shared.domain.records.policy import Organization
from shared.storage import items, keys
from shared.storage.audit_trail import audit_writes
from shared.storage.batches import read_items
from shared.storage.items import Item, text
from shared.storage.jobs import replanning_job
from shared.storage.partner_defaults import DefaultsChangedError, defaults_raised, defaults_unchanged, defaults_writes
from shared.storage.races import LostRaceError
from shared.storage.records import Records
from shared.storage.writes import NEW, THERE, Write, at_version, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ORGANIZATION_INDEX = "organization"


class ClientIdTakenError(Exception):
    """Another organization, of this partner or another, has this `clientId`."""


class OrganizationChangedError(LostRaceError):
    """The organization, or the defaults that it inherits, were changed since they were read."""


@dataclass(frozen=True, slots=True)
class Organizations:
    """The partners and organizations of one table. Every read on a partner's behalf names the partner."""

    client: "DynamoDBClient"
    table: str

    @property
    def _records(self) -> Records:
        return Records(self.client, self.table)

    def get(self, org_id: str) -> Organization | None:
        """An organization by our id, whosever it is: for the system's own work."""
        item = self._records.item(keys.organization(org_id))
        return _organization(item) if item else None

    def of_partner(self, partner_id: str, org_id: str) -> Organization | None:
        """An organization of this partner; None: there is none, or it is somebody else's."""
        organization = self.get(org_id)
        return organization if organization and organization.partner_id == partner_id else None

    def by_client_id(self, partner_id: str, client_id: str) -> Organization | None:
        """This partner's organization with this case-sensitive `clientId`."""
        guard = self._records.item(keys.client(client_id))
        return self.of_partner(partner_id, guard["org_id"]["S"]) if guard else None

    def create(
        self,
        organization: Organization,
        *,
        defaults: PartnerDefaults | None = None,
        audit: AuditEntry | None = None,
    ) -> Organization:
        """Store a new organization. Raises ClientIdTakenError: the guard item closes the race of two creations.

        `audit`: tells of it in the same transaction.
        `defaults`: what it inherited from; DefaultsChangedError is raised when that isn't so any more.
        """
        created = replace(organization, version=1)
        guard = {
            **items.key(keys.client(organization.client_id)),
            "org_id": text(organization.org_id),
        }
        writes = [
            put(self.table, guard, NEW),
            put(self.table, _organization_item(created), NEW),
        ]
        writes += [defaults_unchanged(self.table, defaults)] if defaults else []
        writes += audit_writes(self.table, audit)
        if transact(self.client, writes):
            return created
        if defaults and self._records.item(keys.client(organization.client_id)) is None:
            raise DefaultsChangedError
        raise ClientIdTakenError

    def save(
        self,
        organization: Organization,
        *,
        replan_at: datetime | None = None,
        defaults: PartnerDefaults | None = None,
        audit: AuditEntry | None = None,
        choosing: bool = False,
    ) -> Organization:
        """Store an organization's new state, and answer it in its new version.

        `choosing`: it takes up one of its partner's own configurations. That raises the version of the defaults, so
        that a deletion of the configuration that didn't see it chosen loses.

        Raises OrganizationChangedError when it, or the `defaults` that it inherits, changed meanwhile.
        `replan_at`: from when its accounts are planned again; the job for that is written in the same transaction, and
        so is what tells of it (`audit`).
        """
        saved = replace(organization, version=organization.version + 1)
        writes = [organization_put(self.table, organization)]
        if replan_at is not None:
            writes.append(put(self.table, replanning_job(saved.org_id, saved.version, replan_at)))
        if defaults:
            judged_by = defaults_raised if choosing else defaults_unchanged
            writes.append(judged_by(self.table, defaults))
        writes += audit_writes(self.table, audit)
        if not transact(self.client, writes):
            raise OrganizationChangedError
        return saved

    def list(self, partner_id: str) -> list[Organization]:
        """All organizations of a partner, by name."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=ORGANIZATION_INDEX,
            KeyConditionExpression="org_pk = :partner",
            ExpressionAttributeValues={":partner": text(keys.organizations(partner_id))},
        )
        found = [(item["pk"]["S"], keys.ROOT) for page in pages for item in page["Items"]]
        organizations = (_organization(item) for item in read_items(self.client, self.table, found))
        return [organization for organization in organizations if organization.partner_id == partner_id]

    def partners(self) -> tuple[Partner, ...]:
        """All partners, by name: for operators."""
        return tuple(items.unpack(Partner, item["body"]) for item in self._indexed(keys.partners()))

    def _indexed(self, partition: str) -> tuple[Item, ...]:
        """The whole items of a partition of the organization index, in its order."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=ORGANIZATION_INDEX,
            KeyConditionExpression="org_pk = :partition",
            ExpressionAttributeValues={":partition": text(partition)},
        )
        rows = [(row["pk"]["S"], row["sk"]["S"]) for page in pages for row in page["Items"]]
        return tuple(read_items(self.client, self.table, rows))

    def partner(self, partner_id: str) -> Partner | None:
        """A partner by id."""
        return self._records.get(Partner, keys.partner(partner_id))

    def create_partner(self, partner: Partner, audit: AuditEntry | None = None) -> None:
        """Store a new partner."""
        transact(self.client, [put(self.table, _partner_item(partner), NEW), *audit_writes(self.table, audit)])

    def save_partner(
        self, partner: Partner, defaults: PartnerDefaults, now: datetime, audit: AuditEntry | None = None
    ) -> None:
        """Store a partner's new state, with the defaults by which its status reaches its organizations.

        Both, and the job that passes them on, in one transaction. Raises DefaultsChangedError.
        """
        writes = [put(self.table, _partner_item(partner), THERE), *defaults_writes(self.table, defaults, now)]
        writes += audit_writes(self.table, audit)
        if not transact(self.client, writes):
            raise DefaultsChangedError


def _partner_item(partner: Partner) -> Item:
    return {
        **items.key(keys.partner(partner.partner_id)),
        "org_pk": text(keys.partners()),
        "org_sk": text(keys.organization_name(partner.name, partner.partner_id)),
        "body": items.pack(Partner, partner),
    }


def organization_put(table: str, organization: Organization) -> Write:
    """The part of a transaction that stores an organization in its next version, if it is as it was read."""
    saved = replace(organization, version=organization.version + 1)
    return put(table, _organization_item(saved), at_version(organization.version))


def _organization(item: Item) -> Organization:
    return items.unpack(Organization, item["body"])


def _organization_item(organization: Organization) -> Item:
    return {
        **items.key(keys.organization(organization.org_id)),
        "version": items.number(organization.version),
        "org_pk": text(keys.organizations(organization.partner_id)),
        "org_sk": text(keys.organization_name(organization.name, organization.org_id)),
        "body": items.pack(Organization, organization),
    }
