"""The audit trail: who changed which setting, key or standing, when and why; nothing of it is ever changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.vocabulary.actors import person_behind
from shared.domain.vocabulary.json_documents import Json

KEPT_FOR = timedelta(days=7 * 366)
"""Seven years."""

PERSONAL_MEMBERS = frozenset({"testContacts"})
"""Members whose values name people, whatever was changed; that they changed is kept, what they were isn't."""

NOT_KEPT = "[not kept]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change (docs/rules.md#audit-trail).

    subject: what was changed, as `organization:org_1`. before, after: the members that differ, without personal detail.
    by: the person behind the actor, if the actor names one.
    """

    audit_id: str
    partner_id: str
    at: datetime
    actor: str
    by: str = ""
    action: str
    subject: str
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        """Keep the person whom the actor names."""
        object.__setattr__(self, "by", self.by or person_behind(self.actor))


def differing(
    before: Mapping[str, object], after: Mapping[str, object], hidden: frozenset[str] = frozenset()
) -> tuple[Json, Json]:
    """The members of two states that differ, as they were and as they are; both empty: none does.

    Of personal members, and of those that are `hidden` here, only that they differ.
    """
    not_kept = PERSONAL_MEMBERS | hidden
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]

    def part(state: Mapping[str, object]) -> Json:
        told = {name: state[name] for name in names if name in state}
        return {name: NOT_KEPT if value and name in not_kept else value for name, value in told.items()}

    return part(before), part(after)
