"""A partner's defaults, which its organizations inherit; a change of them leaves a job to pass it on."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.records.audit import AuditEntry
from shared.domain.records.inheritance import PartnerDefaults
from shared.storage import items, keys
from shared.storage.audit_trail import audit_writes
from shared.storage.items import number
from shared.storage.jobs import job_item
from shared.storage.races import LostRaceError
from shared.storage.records import Records
from shared.storage.writes import Write, at_version, check, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DefaultsChangedError(LostRaceError):
    """A partner's defaults were changed since they were read."""


@dataclass(frozen=True, slots=True)
class PartnersDefaults:
    """The defaults of the partners of one table."""

    client: "DynamoDBClient"
    table: str

    def get(self, partner_id: str) -> PartnerDefaults:
        """A partner's defaults; one that never set any inherits all from the system."""
        found = Records(self.client, self.table).get(PartnerDefaults, keys.defaults(partner_id))
        return found or PartnerDefaults(partner_id=partner_id)

    def save(
        self,
        defaults: PartnerDefaults,
        now: datetime,
        audit: AuditEntry | None = None,
        with_them: tuple[Write, ...] = (),
    ) -> PartnerDefaults:
        """Store a partner's defaults, and answer them in their new version. Raises DefaultsChangedError.

        `with_them`: writes that happen together with it or not at all; their losing is a DefaultsChangedError too.

        The job that passes them on to its organizations is written in the same transaction, so that neither is ever
        without the other. It replaces one that is under way, and starts over.
        """
        told = audit_writes(self.table, audit)
        if not transact(self.client, [*defaults_writes(self.table, defaults, now), *told, *with_them]):
            raise DefaultsChangedError
        return replace(defaults, version=defaults.version + 1)


def defaults_writes(table: str, defaults: PartnerDefaults, now: datetime) -> list[Write]:
    """The part of a transaction that stores a partner's defaults in their new version, with the job to pass them on."""
    job = job_item(keys.defaults(defaults.partner_id), keys.JOB_SORT, defaults.version + 1, now)
    return [defaults_raised(table, defaults), put(table, job)]


def defaults_unchanged(table: str, defaults: PartnerDefaults) -> Write:
    """The part of a transaction that lets it happen only while a partner's defaults are as they were read.

    Without it an organization written at the moment of a change could keep what it had inherited before.
    """
    return check(table, items.key(keys.defaults(defaults.partner_id)), at_version(defaults.version))


def defaults_raised(table: str, defaults: PartnerDefaults) -> Write:
    """The part of a transaction that raises the version of a partner's defaults, if they are as they were read.

    Whoever judged by the version before loses its write, and judges again.
    """
    saved = replace(defaults, version=defaults.version + 1)
    item = {
        **items.key(keys.defaults(saved.partner_id)),
        "version": number(saved.version),
        "body": items.pack(PartnerDefaults, saved),
    }
    return put(table, item, at_version(defaults.version))
