"""Passing a partner's changed defaults on to its organizations, in the background.

A job item in the due index says that it has to be done, and how far it came. Each sweep takes a page of the partner's
organizations. One whose settings change by it is saved together with the job that replans its accounts; doing it again
finds nothing to do. Whoever writes an organization meanwhile resolves its settings anew, so that none that moves in the
list, because it is new or has another name, is left out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.records.inheritance import inheriting
from shared.storage import keys
from shared.storage.items import text
from shared.storage.jobs import due_job, move_on, page_of
from shared.storage.organizations import ORGANIZATION_INDEX, Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.races import BusyError, until_won

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 25


@dataclass(frozen=True, slots=True)
class Inheritance:
    """The jobs of one table that pass defaults on."""

    client: "DynamoDBClient"
    table: str

    def advance(self, partner_id: str, now: datetime) -> int:
        """Pass the defaults on to one page of organizations, and answer to how many.

        0, too, when an organization kept being changed by others: its page is taken again by the next sweep.
        """
        job = due_job(self.client, self.table, keys.defaults(partner_id), keys.JOB, now)
        if job is None:
            return 0
        organizations = {
            "IndexName": ORGANIZATION_INDEX,
            "KeyConditionExpression": "org_pk = :partner",
            "ExpressionAttributeValues": {":partner": text(keys.organizations(partner_id))},
            "Limit": PAGE,
        }
        page = page_of(self.client, self.table, job, organizations)
        org_ids = [keys.org_id_of(row["pk"]["S"]) for row in page["Items"]]
        if not all(self._pass_on(partner_id, org_id, now) for org_id in org_ids):
            return 0
        move_on(self.client, self.table, job, page.get("LastEvaluatedKey"))
        return len(org_ids)

    def _pass_on(self, partner_id: str, org_id: str, now: datetime) -> bool:
        """Have an organization inherit what the defaults say now. False: others kept changing it."""
        organizations = Organizations(self.client, self.table)

        def attempt() -> None:
            organization = organizations.get(org_id)
            if organization is None:
                return
            defaults = PartnersDefaults(self.client, self.table).get(partner_id)
            after = inheriting(organization, defaults)
            if after == organization:
                return
            replan_at = now if after.dunning != organization.dunning else None
            organizations.save(after, replan_at=replan_at, defaults=defaults)

        try:
            until_won(attempt)
        except BusyError:
            return False
        return True
