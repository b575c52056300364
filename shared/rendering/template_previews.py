"""What a template looks like before anybody gets it: with its variables' names, or with a made-up bill."""

from dataclasses import dataclass

from shared.domain.records.own_template import OwnTemplate
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.environment import compiled_text, html_environment, text_environment
from shared.rendering.facts import address_lines, readable_phone
from shared.rendering.own_templates import LISTS, VARIABLES, written
from shared.rendering.template_review import ALL_KNOWN, rendered_parts
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.variables import MessageVariables

SWITCHES = {"online": True, "brief": False, "terse": False}
"""Variables that say yes or no; a preview is of the usual message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePreview:
    """A message as it would look: for email all three parts, else `text` only."""

    text: str
    subject: str = ""
    html: str = ""


def with_placeholders(
    own: OwnTemplate | None, kind: NotificationType, channel: Channel, language: Language
) -> TemplatePreview:
    """A template in which each variable stands for itself, as `{{ practice }}`. own: None: the system's.

    Raises TemplateFailedError, and NoSuchTemplateError where the system has no template of this type for the channel.
    """
    context = {name: _placeholder(name) for name in VARIABLES[channel]}
    return written(own, lambda source: _filled(source or system_template(channel, kind, language), context), _length)


def with_sample_bill(
    own: OwnTemplate | None, organization: Organization, kind: NotificationType, channel: Channel, language: Language
) -> TemplatePreview:
    """A template as the organization's patients would get it, for a made-up bill of a made-up person.

    Raises as `with_placeholders` does.
    """
    receipt = kind is NotificationType.RECEIPT
    names_amount = organization.amount_in_email and not receipt
    variables = MessageVariables(
        practice=organization.name,
        short_name=organization.short_name or organization.name,
        first_name=ALL_KNOWN.first_name,
        phone=readable_phone(organization.phone),
        address_lines=address_lines(organization.address),
        link=ALL_KNOWN.link,
        link_expires_at=ALL_KNOWN.link_expires_at,
        unsubscribe_link=ALL_KNOWN.unsubscribe_link,
        amount_due=ALL_KNOWN.amount_due if names_amount else None,
        amount_paid=ALL_KNOWN.amount_paid if receipt else None,
        paid_on=ALL_KNOWN.paid_on if receipt else None,
        payment_reference=ALL_KNOWN.payment_reference if receipt else "",
        paid_statements=ALL_KNOWN.paid_statements if receipt else (),
        online=organization.payments.online,
        staff_name=ALL_KNOWN.staff_name if kind is NotificationType.PAYMENT_LINK else "",
    )
    return TemplatePreview(**rendered_parts(own, kind, channel, language, variables))


def _placeholder(name: str) -> str | bool | tuple[str, ...]:
    shown = f"{{{{ {name} }}}}"
    return SWITCHES.get(name, (shown,) if name in LISTS else shown)


def _filled(source: MessageTemplate, context: dict[str, str | bool | tuple[str, ...]]) -> TemplatePreview:
    return TemplatePreview(
        subject=" ".join(text_environment().from_string(source.subject).render(context).split()),
        html=html_environment().from_string(source.html).render(context),
        text=compiled_text(source.text).render(context).strip(),
    )


def _length(preview: TemplatePreview) -> int:
    return len(preview.subject) + len(preview.html) + len(preview.text)
