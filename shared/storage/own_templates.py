"""An organization's own templates: the latest of each, and every version that there was."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.domain.records.audit import AuditEntry
from shared.domain.records.own_template import OwnTemplate, with_template
from shared.domain.records.policy import Organization
from shared.storage import items, keys
from shared.storage.audit_trail import audit_writes
from shared.storage.items import Item, number, text
from shared.storage.organizations import OrganizationChangedError, organization_put
from shared.storage.records import Records
from shared.storage.writes import NEW, at_version, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class OwnTemplates:
    """The own templates of the organizations of one table."""

    client: "DynamoDBClient"
    table: str

    def get(self, org_id: str, place: str, version: int | None = None) -> OwnTemplate | None:
        """A template as it is, or as it was in an earlier version; None: there is none."""
        sort_key = keys.own_template(place) if version is None else keys.own_template_version(place, version)
        return Records(self.client, self.table).get(OwnTemplate, keys.organization(org_id), sort_key)

    def list(self, organization: Organization) -> list[OwnTemplate]:
        """The templates that an organization has, by their places."""
        query = self.client.get_paginator("query")
        pages = query.paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :organization AND begins_with(sk, :kind)",
            ExpressionAttributeValues={
                ":organization": text(keys.organization(organization.org_id)),
                ":kind": text(keys.TEMPLATE_SORT),
            },
            ConsistentRead=True,
        )
        found: list[Item] = [dict(row) for page in pages for row in page["Items"]]
        templates = (items.unpack(OwnTemplate, row["body"]) for row in found)
        return [template for template in templates if template.place in organization.own_templates]

    def save(
        self, template: OwnTemplate, organization: Organization, *, version: int, audit: AuditEntry | None = None
    ) -> OwnTemplate:
        """Store a template's next version, after one that was read (0: none), and answer it.

        Raises OrganizationChangedError when somebody else changed it, or the organization, meanwhile.

        The organization that now has it is written in the same transaction: it says which templates there are, so that
        a notice without one of its own costs no read more. So is what tells of it (`audit`).
        """
        saved = replace(template, version=version + 1)
        has = replace(organization, own_templates=with_template(organization.own_templates, saved.place))
        current = put(self.table, _item(saved, keys.own_template(saved.place)), at_version(version))
        kept = put(self.table, _item(saved, keys.own_template_version(saved.place, saved.version)), NEW)
        told = audit_writes(self.table, audit)
        if not transact(self.client, [current, kept, organization_put(self.table, has), *told]):
            raise OrganizationChangedError
        return saved

    def take_away(self, places: set[str], organization: Organization, audit: Iterable[AuditEntry | None] = ()) -> None:
        """Have an organization use templates no more; their versions stay. Raises OrganizationChangedError.

        `audit`: tells of each in the same transaction.
        """
        rest = tuple(other for other in organization.own_templates if other not in places)
        without = organization_put(self.table, replace(organization, own_templates=rest))
        if not transact(self.client, [without, *audit_writes(self.table, *audit)]):
            raise OrganizationChangedError


def _item(template: OwnTemplate, sort_key: str) -> Item:
    return {
        **items.key(keys.organization(template.org_id), sort_key),
        "version": number(template.version),
        "body": items.pack(OwnTemplate, template),
    }
