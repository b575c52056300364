"""Bodies of the staff routes of the partner API."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.contracts.contact import LONGEST_EMAIL, email_address
from shared.contracts.wire import Instant, NamedLine, WireModel, Word
from shared.domain.records.staff import StaffMember, StaffRole

MOST_ORGANIZATIONS = 100
"""How many organizations one person's list may name; who may see more sees all."""


def _email(value: str) -> str:
    address = email_address(value)
    if address is None:
        raise ValueError("must be an email address")
    return address


def _each_once(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise ValueError("must name each organization once")
    return value


class StaffBody(WireModel):
    """A person who works for the partner."""

    name: Annotated[NamedLine, Field(max_length=100)]
    email: Annotated[str, AfterValidator(_email), Field(max_length=LONGEST_EMAIL, examples=["robin@example.com"])]
    role: Word[StaffRole]
    billing_permission: bool = Field(
        default=False, description="Whether they have billing rights, so that payments are told to them."
    )
    organizations: (
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=64)]],
            Field(max_length=MOST_ORGANIZATIONS),
            AfterValidator(_each_once),
        ]
        | None
    ) = Field(default=None, description="The orgIds that they may see; null: all of the partner's.")
    provider_id: Annotated[NamedLine, Field(max_length=64)] | None = Field(
        default=None, description="For a provider, the `provider.id` of statements."
    )

    @classmethod
    def of(cls, member: StaffMember) -> "StaffBody":
        """What is said of a person as stored."""
        return cls(
            name=member.name,
            email=member.email,
            role=member.role,
            billing_permission=member.billing_permission,
            organizations=None if member.organizations is None else sorted(member.organizations),
            provider_id=member.provider_id or None,
        )


class StaffAnswer(WireModel):
    """A person who works for the partner."""

    read_only = ("staffId", "createdAt")

    staff_id: str
    name: str
    email: str
    role: StaffRole
    billing_permission: bool
    organizations: list[str] | None
    provider_id: str | None
    created_at: Instant

    @classmethod
    def of(cls, member: StaffMember) -> "StaffAnswer":
        """A person as stored."""
        said = StaffBody.of(member)
        return cls(staff_id=member.staff_id, created_at=member.created_at, **dict(said))


class StaffPage(WireModel):
    """A page of staff."""

    items: list[StaffAnswer]
    next_cursor: str | None
