"""A message template that an organization wrote itself, and which of them a notice is written with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.vocabulary.words import Channel, Language, NotificationType


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTemplate:
    """One version of an own template, for one channel and language: for email all three sources, else `text` only.

    template_id: what steps and requests name it by. One that is a type's word is used for every notice of that type
    whose step names no other (docs/rules.md#own-template). version: from 1, raised by each change.
    """

    org_id: str
    template_id: str
    channel: Channel
    language: Language
    text: str
    subject: str = ""
    html: str = ""
    version: int = 0
    saved_at: datetime
    saved_by: str

    @property
    def place(self) -> str:
        """What an organization knows it by."""
        return template_place(self.template_id, self.channel, self.language)


def template_place(template_id: str, channel: Channel, language: Language) -> str:
    """What an organization knows a template by that it has: an id has no slash."""
    return f"{template_id}/{channel}/{language}"


def template_in_use(
    organization: Organization, template_id: str, kind: NotificationType, channel: Channel, language: Language
) -> str | None:
    """The place of the own template that a notice is written with: the one it names, else its type's own.

    None: the organization has neither in this language, so it is the system's.
    """
    named = () if template_id == SYSTEM_DEFAULT_TEMPLATE else (template_id,)
    places = (template_place(name, channel, language) for name in (*named, kind.value))
    return next((place for place in places if place in organization.own_templates), None)


def has_template(organization: Organization, template_id: str, channel: Channel) -> bool:
    """Whether an organization has a template of its own by this id for a channel, in any language."""
    return any(template_place(template_id, channel, language) in organization.own_templates for language in Language)


def with_template(organization_templates: Iterable[str], place: str) -> tuple[str, ...]:
    """The places of an organization's templates with one more."""
    return tuple(sorted({*organization_templates, place}))
