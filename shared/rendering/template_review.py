"""What is wrong with an own template, found when it is saved: everything at once, before a patient could see it.

It is looked at by itself (what it does), and by what it writes for messages of every kind: with everything known and
with nothing, with the longest names, and with names that are themselves markup.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from html import escape

from shared.domain.delivery.orders import TemplateFailedError
from shared.domain.records.own_template import OwnTemplate
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.email_message import RenderedEmail, email_length, render_email
from shared.rendering.forbidden_words import forbidden_words
from shared.rendering.gsm import ONE_SEGMENT, septets, transliterated
from shared.rendering.letter_message import render_letter_message
from shared.rendering.own_templates import forbidden, written
from shared.rendering.safe_markup import read_markup
from shared.rendering.text_message import render_text, text_length
from shared.rendering.variables import MessageVariables

SOURCES = {Channel.EMAIL: ("subject", "html", "text"), Channel.SMS: ("text",), Channel.PRINT: ("text",)}
"""What a template of a channel consists of."""

MOST_NAME, MOST_SHORT_NAME = 100, 30
"""Characters that an organization's names may have."""

MOST_SUBJECT = 250
"""Characters of a subject with the longest name; mail programs show a third of that."""

LINK = "https://pay.example.com/pay/0123456789abcdefghijkl"
"""As long as a link is at a pay address of 23 characters."""

ALL_KNOWN = MessageVariables(
    practice="Juniper Practice",
    short_name="Juniper",
    first_name="Alex",
    phone="(555) 010-0199",
    address_lines=("12 Juniper Way", "Suite 3", "Albany, NY 12207"),
    link=LINK,
    link_expires_at=datetime(2026, 3, 9, 12, tzinfo=UTC),
    unsubscribe_link="https://pay.example.com/unsubscribe/0123456789abcdefghijkl",
    amount_due=74_60,
    amount_paid=25_00,
    amount_over=1_00,
    paid_on=date(2026, 3, 2),
    payment_reference="R-1",
    paid_statements=("S-1",),
    staff_name="Robin",
)
LITTLE_KNOWN = MessageVariables(
    practice=ALL_KNOWN.practice,
    short_name=ALL_KNOWN.short_name,
    address_lines=ALL_KNOWN.address_lines[:1],
    link=LINK,
    unsubscribe_link=ALL_KNOWN.unsubscribe_link,
    online=False,
)
LONGEST_NAMES = replace(
    ALL_KNOWN, practice=("Juniper Practice " * 6)[:MOST_NAME].strip(), short_name="Juniper Practice of Albany, NY"
)
MARKUP_NAMES = replace(
    ALL_KNOWN, practice="a onload=x style=x \"'><script>x</script>", first_name="b onload=x \"'><iframe>"
)

RECIPIENTS = {"everything is known": ALL_KNOWN, "little is known": LITTLE_KNOWN, "names are long": LONGEST_NAMES}


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with a template: where, as a JSON pointer into its body, and what."""

    pointer: str
    detail: str


def review(template: OwnTemplate) -> list[TemplateFault]:
    """All that is wrong with a template; nothing: it may be saved."""
    faults = [*_misplaced(template), *_constructs(template)]
    if faults:
        return faults
    found, kind = dict[TemplateFault, None](), type_of_template(template)
    for when, variables in (*RECIPIENTS.items(), ("a name is markup", MARKUP_NAMES)):
        try:
            parts = rendered_parts(template, kind, template.channel, template.language, variables)
        except TemplateFailedError as error:
            return [TemplateFault("/text", f"can't be rendered where {when}: {error}")]
        if variables is MARKUP_NAMES:
            found |= dict.fromkeys(_unsafe_markup(parts))
        else:
            found |= dict.fromkeys(_faults_of(template, parts, variables))
    return list(found)


def rendered_parts(
    own: OwnTemplate | None,
    kind: NotificationType,
    channel: Channel,
    language: Language,
    variables: MessageVariables,
) -> dict[str, str]:
    """What a template writes, by the names of its sources. own: None: the system's. Raises TemplateFailedError."""
    match channel:
        case Channel.EMAIL:
            email: RenderedEmail = written(own, partial(render_email, kind, language, variables), email_length)
            return {"subject": email.subject, "html": email.html, "text": email.text}
        case Channel.SMS:
            return {"text": written(own, partial(render_text, kind, language, variables), text_length).message}
        case Channel.PRINT:
            return {"text": written(own, partial(render_letter_message, kind, language, variables), len)}


def type_of_template(template: OwnTemplate) -> NotificationType:
    """The type of notice that a template is for by its id; any other is looked at as a first notice."""
    known = {kind.value: kind for kind in NotificationType}
    return known.get(template.template_id, NotificationType.INITIAL)


def _misplaced(template: OwnTemplate) -> Iterator[TemplateFault]:
    """Sources that the channel needs, or can't have."""
    needed = SOURCES[template.channel]
    for name, source in (("subject", template.subject), ("html", template.html), ("text", template.text)):
        if name in needed and not source.strip():
            yield TemplateFault(f"/{name}", f"is required for {template.channel}")
        elif name not in needed and source:
            yield TemplateFault(f"/{name}", f"is not part of {template.channel}")


def _constructs(template: OwnTemplate) -> Iterator[TemplateFault]:
    for name in SOURCES[template.channel]:
        for construct in forbidden(getattr(template, name), template.channel):
            yield TemplateFault(f"/{name}", str(construct))


def _unsafe_markup(parts: dict[str, str]) -> Iterator[TemplateFault]:
    """Markup that isn't safe, or that a name could make: of a variable in an attribute without quotes, say."""
    yield from (TemplateFault("/html", what) for what in read_markup(parts.get("html", "")).unsafe)


def _faults_of(template: OwnTemplate, parts: dict[str, str], variables: MessageVariables) -> Iterator[TemplateFault]:
    for name, part in parts.items():
        for word in forbidden_words(read_markup(part).words if name == "html" else part):
            yield TemplateFault(f"/{name}", str(word))
    match template.channel:
        case Channel.EMAIL:
            yield from _email_faults(template, parts, variables)
        case Channel.SMS:
            yield from _text_faults(template, parts["text"], variables)


def _email_faults(template: OwnTemplate, parts: dict[str, str], variables: MessageVariables) -> Iterator[TemplateFault]:
    if len(parts["subject"]) > MOST_SUBJECT:
        yield TemplateFault("/subject", f"has more than {MOST_SUBJECT} characters with the longest names")
    for name in ("html", "text"):
        yield from _missing(name, parts[name], _needed_by_email(template, variables), html=name == "html")


def _needed_by_email(template: OwnTemplate, variables: MessageVariables) -> Mapping[str, tuple[str, ...]]:
    """What each part of an email must say, as it is named to people."""
    receipt = type_of_template(template) is NotificationType.RECEIPT
    needed = {
        "the practice's name ({{ practice }})": (variables.practice,),
        "the way to opt out ({{ unsubscribe_link }})": (variables.unsubscribe_link,),
    }
    return needed if receipt else needed | {"the link ({{ link }})": (variables.link,)}


def _missing(name: str, part: str, needed: Mapping[str, tuple[str, ...]], *, html: bool) -> Iterator[TemplateFault]:
    for what, values in needed.items():
        if not all((escape(value) if html else value) in part for value in values):
            yield TemplateFault(f"/{name}", f"must always have {what}")


def _text_faults(template: OwnTemplate, text: str, variables: MessageVariables) -> Iterator[TemplateFault]:
    names, link = (variables.practice, variables.short_name), variables.link
    if link not in text and type_of_template(template) is not NotificationType.RECEIPT:
        yield TemplateFault("/text", "must always have the link ({{ link }})")
    if "STOP" not in _words(text.replace(link, " ")):
        yield TemplateFault("/text", "must always have the way to opt out (the word STOP)")
    over = (septets(text) or 0) - ONE_SEGMENT
    if variables is LONGEST_NAMES and (over > 0 or not any(name in text for name in names)):
        most = f"one text segment ({ONE_SEGMENT} characters)"
        yield TemplateFault("/text", f"takes more than {most} with the longest names and a link of {len(link)}")
    elif not any(name in text for name in names):
        yield TemplateFault("/text", "must always have the practice's name ({{ short_name }} or {{ practice }})")
    lost = sorted({sign for sign in template.text if not sign.isspace() and not transliterated(sign)})
    if lost:
        shown = " ".join(f"U+{ord(sign):04X}" for sign in lost[:5])
        yield TemplateFault("/text", f"has characters that a text message can't show ({shown})")


def _words(text: str) -> list[str]:
    """The words of a text without the punctuation around them."""
    return ["".join(sign for sign in word if sign.isalpha()) for word in text.split()]
