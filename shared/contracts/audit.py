"""Bodies of the audit trail of the partner API."""

from typing import Any

from pydantic import Field

from shared.contracts.wire import Instant, WireModel
from shared.domain.records.audit import AuditEntry


class AuditEntryAnswer(WireModel):
    """A change of a setting, a key or a standing."""

    audit_id: str
    at: Instant
    actor: str = Field(examples=["key:1f0c", "operator"])
    by: str | None = Field(description="The person whom the write named in `Dunlin-Actor`.")
    action: str = Field(examples=["OrganizationChanged", "KeyRevoked"])
    subject: str = Field(examples=["organization:org_1"])
    before: dict[str, Any] = Field(description="The members that differ, as they were; without personal detail.")
    after: dict[str, Any] = Field(description="The same, as they are since.")
    reason: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryAnswer":
        """An entry as stored."""
        return cls(
            audit_id=entry.audit_id,
            at=entry.at,
            actor=entry.actor,
            by=entry.by or None,
            action=entry.action,
            subject=entry.subject,
            before=entry.before,
            after=entry.after,
            reason=entry.reason or None,
        )


class AuditPage(WireModel):
    """A page of the audit trail, newest first."""

    items: list[AuditEntryAnswer]
    next_cursor: str | None
