"""Emails: a subject, an HTML part and a text part that say the same."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from jinja2 import Template
from markupsafe import escape

from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering import formats
from shared.rendering.environment import html_environment, text_environment
from shared.rendering.formats import single_stops
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.testing_marks import sentence_on_top, subject_mark
from shared.rendering.variables import MessageVariables

BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
CLOSED_BODY = re.compile(r"</body\s*>", re.IGNORECASE)
FOOTER_STYLE = "font-family:sans-serif;font-size:13px;color:#555555"
TEST_STYLE = "margin:0;padding:12px 16px;background-color:#7a4100;color:#ffffff;font-family:sans-serif;font-size:15px"


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
    names = (variables.practice, variables.short_name, variables.staff_name)
    email = RenderedEmail(
        subject=single_stops(" ".join(subject.render(context).split()), names),
        html=single_stops(html.render(context), [str(escape(name)) for name in names]),
        text=single_stops(text.render(context), names),
    )
    if template is not None:
        email = _with_address(email, variables)
    return _marked_as_test(email, language, variables) if variables.test_recipient else email


def _with_address(email: RenderedEmail, variables: MessageVariables) -> RenderedEmail:
    """The same email with the practice's postal address at its end, where an own template leaves it out.

    Commercial email has to show one (15 U.S.C. 7704(a)(5)), and mail programs think better of any that does.
    """
    lines, html, text = variables.address_lines, email.html, email.text
    if not all(str(escape(line)) in html for line in lines):
        footer = f'<p style="{FOOTER_STYLE}">{"<br>".join(str(escape(line)) for line in lines)}</p>'
        closed = CLOSED_BODY.search(html)
        place = closed.start() if closed else len(html)
        html = html[:place] + footer + html[place:]
    if not all(line in text for line in lines):
        text = "\n".join((text.rstrip(), "", "--", *lines, ""))
    return replace(email, html=html, text=text)


def _marked_as_test(email: RenderedEmail, language: Language, variables: MessageVariables) -> RenderedEmail:
    """The same email, said to be a test in its subject and on top of both its parts, whoever wrote its template."""
    line = sentence_on_top(language, variables)
    banner = f'<p style="{TEST_STYLE}">{escape(line)}</p>'
    opened = BODY.search(email.html)
    place = opened.end() if opened else 0
    return RenderedEmail(
        subject=f"{subject_mark(language)} {email.subject}",
        html=email.html[:place] + banner + email.html[place:],
        text=f"{line}\n\n{email.text}",
    )


def email_length(email: RenderedEmail) -> int:
    """How many characters an email has, all its parts together."""
    return len(email.subject) + len(email.html) + len(email.text)


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
        "payment_reference": variables.payment_reference,
        "paid_statements": ", ".join(variables.paid_statements),
        "staff_name": variables.staff_name,
    }


def _link_expires(variables: MessageVariables, language: Language) -> str:
    moment = variables.link_expires_at
    if moment is None:
        return ""
    if variables.link_expires_soon:
        return formats.long_time(moment, language)
    return formats.long_date(moment.date(), language)
