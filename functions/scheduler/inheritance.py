"""Passing a partner's changed defaults and dunning configurations on to its organizations, in the background.

A job item in the due index says that it has to be done, and how far it came. Each sweep takes a page of the partner's
organizations. One whose settings change by it is saved together with the job that replans its accounts; doing it again
finds nothing to do. Whoever writes an organization meanwhile resolves its settings again, so that none that moves in
the list, because it is new or has another name, is left out.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.records.inheritance import inheriting, planned_alike, with_latest
from shared.domain.records.policy import Organization
from shared.storage.background_jobs import BackgroundJobs
from shared.storage.organizations import Organizations
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.races import BusyError, until_won

ORGANIZATIONS_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Inheritance:
    """Passes defaults on, a page of organizations at a time."""

    jobs: BackgroundJobs
    organizations: Organizations
    defaults: PartnersDefaults
    configurations: OwnConfigurations

    def advance(self, partner_id: str, now: datetime) -> int:
        """Pass the defaults on to the job's next page of organizations, and answer to how many.

        0, too, when an organization kept being changed by others: its page is taken again by the next sweep.
        """
        job = self.jobs.inheritance(partner_id, now)
        if job is None:
            return 0
        page = self.jobs.organizations(job, partner_id, ORGANIZATIONS_A_PAGE)
        if not all(self._pass_on(partner_id, org_id, now) for org_id in page.rows):
            return 0
        self.jobs.move_on(job, page)
        return len(page.rows)

    def _pass_on(self, partner_id: str, org_id: str, now: datetime) -> bool:
        """Have an organization inherit what the defaults say now. False: others kept changing it."""

        def attempt() -> None:
            organization = self.organizations.get(org_id)
            if organization is None:
                return
            defaults = self.defaults.get(partner_id)
            after = self._with_latest(inheriting(organization, defaults))
            if after == organization:
                return
            replan_at = None if planned_alike(after, organization) else now
            self.organizations.save(after, replan_at=replan_at, defaults=defaults)

        try:
            until_won(attempt)
        except BusyError:
            return False
        return True

    def _with_latest(self, organization: Organization) -> Organization:
        """The organization with the latest version of the own configuration that it chose."""
        own = organization.dunning.own_configuration
        if own is None:
            return organization
        latest = self.configurations.get(organization.partner_id, own.configuration_id)
        return replace(organization, dunning=with_latest(organization.dunning, latest))
