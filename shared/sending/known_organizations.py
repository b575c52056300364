"""Organizations as a process read them a moment ago, so that a notice that comes alone costs no read of its practice.

A minute is no longer than one invocation may take, within which an organization is read once anyhow. An account that
was marked for later settings has them read again at once (docs/rules.md#settings-known-for-a-minute).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.records.policy import Organization

KNOWN_FOR = timedelta(minutes=1)
"""How long an organization is known by what was read of it, in product time."""


class OrganizationReader(Protocol):
    """Organizations, as storage has them."""

    def get(self, org_id: str) -> Organization | None:
        """Read an organization."""


@dataclass(slots=True)
class KnownOrganizations:
    """The organizations that one process has read. One that isn't there isn't remembered."""

    stored: OrganizationReader
    _read: dict[str, tuple[datetime, Organization]] = field(default_factory=dict)

    def known(self, org_id: str, version: int, now: datetime) -> Organization | None:
        """An organization as it was within the last minute, in this version or a later one; None: there is none."""
        read_at, organization = self._read.get(org_id, (None, None))
        if organization and read_at and read_at <= now < read_at + KNOWN_FOR and organization.version >= version:
            return organization
        found = self.stored.get(org_id)
        if found:
            self._read[org_id] = now, found
        return found
