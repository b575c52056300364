"""Staff: a person who works for a partner."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StaffRole(StrEnum):
    """What a person does."""

    ADMIN = "Admin"
    BILLING = "Billing"
    PROVIDER = "Provider"
    VIEWER = "Viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """A person who works for a partner.

    organizations: those that they may see; None: all of the partner's. provider_id: the `provider.id` of statements,
    where they are a provider. revision: counts the writes, so that none overwrites another.
    """

    staff_id: str
    partner_id: str
    name: str
    email: str
    role: StaffRole
    billing_permission: bool
    created_at: datetime
    organizations: frozenset[str] | None = None
    provider_id: str = ""
    revision: int = 0
