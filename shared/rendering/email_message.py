"""Emails: a subject, an HTML part and a text part that say the same."""

from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Template

from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering import formats
from shared.rendering.environment import html_environment, text_environment
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.variables import MessageVariables


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An email, ready to be sent."""

    subject: str
    html: str
    text: str


def render_email(
    notification_type: NotificationType,
    language: Language,
    variables: MessageVariables,
    template: MessageTemplate | None = None,
) -> RenderedEmail:
    """Write an email, by the organization's own template or else the system's.

    Raises jinja2.TemplateError when an own template names an unknown variable or does what the sandbox forbids.
    """
    subject, html, text = _compiled(template or system_template(Channel.EMAIL, notification_type, language))
    context = _context(variables, language)
    return RenderedEmail(
        subject=" ".join(subject.render(context).split()),
        html=html.render(context),
        text=text.render(context),
    )


@lru_cache(maxsize=256)
def _compiled(template: MessageTemplate) -> tuple[Template, Template, Template]:
    return (
        text_environment().from_string(template.subject),
        html_environment().from_string(template.html),
        text_environment().from_string(template.text),
    )


def _context(variables: MessageVariables, language: Language) -> dict[str, str | bool | tuple[str, ...]]:
    return {
        "practice": variables.practice,
        "short_name": variables.short_name,
        "first_name": variables.first_name,
        "phone": variables.phone,
        "phone_link": "".join(digit for digit in variables.phone if digit.isdecimal() or digit == "+"),
        "address_lines": variables.address_lines,
        "link": variables.link,
        "link_expires": _link_expires(variables, language),
        "unsubscribe_link": variables.unsubscribe_link,
        "amount_due": "" if variables.amount_due is None else formats.money(variables.amount_due, language),
        "amount_paid": "" if variables.amount_paid is None else formats.money(variables.amount_paid, language),
        "amount_over": "" if variables.amount_over is None else formats.money(variables.amount_over, language),
        "online": variables.online,
        "paid_on": "" if variables.paid_on is None else formats.long_date(variables.paid_on, language),
        "staff_name": variables.staff_name,
    }


def _link_expires(variables: MessageVariables, language: Language) -> str:
    moment = variables.link_expires_at
    if moment is None:
        return ""
    if variables.link_expires_soon:
        return formats.long_time(moment, language)
    return formats.long_date(moment.date(), language)
