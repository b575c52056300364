"""Text messages: the practice's name, that a statement is ready, a link, and how to opt out; one segment."""

from dataclasses import dataclass

from jinja2 import Template

from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.environment import compiled_text
from shared.rendering.formats import single_stops
from shared.rendering.gsm import ONE_SEGMENT, septets, transliterated
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.testing_marks import text_starts
from shared.rendering.variables import MessageVariables

SHORTEST_NAME = 8
"""A name is cut at a word's end where that leaves as many characters as this."""

_TIGHTER: tuple[dict[str, str | bool], ...] = (
    {},
    {"phone": ""},
    {"phone": "", "brief": True},
    {"phone": "", "brief": True, "terse": True},
)
"""What a text leaves out, step by step, until it fits."""

_NAMELESS = {Language.ENGLISH: "Your practice", Language.SPANISH: "Su consultorio"}


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A text message in the GSM 7-bit alphabet."""

    message: str


def render_text(
    notification_type: NotificationType,
    language: Language,
    variables: MessageVariables,
    template: MessageTemplate | None = None,
) -> RenderedText:
    """Write a text message that fits one segment: without the phone number, briefly, or with the name cut if it must.

    A link that leaves no room for a name of three characters makes the message longer than that; it is sent rather
    than not. Raises jinja2.TemplateError as emails do.
    """
    source = compiled_text((template or system_template(Channel.SMS, notification_type, language)).text)
    context: dict[str, str | bool] = {
        "short_name": _plain(variables.short_name) or _plain(variables.practice) or _NAMELESS[language],
        "practice": _plain(variables.practice),
        "phone": variables.phone,
        "link": variables.link,
        "online": variables.online,
        "brief": False,
        "terse": False,
    }
    message = ""
    for start in text_starts(language, variables):
        for tighter in _TIGHTER:
            message = _message(source, context | tighter, start)
            if _over(message) <= 0:
                return RenderedText(message)
    cut: dict[str, str | bool] = {"short_name": _cut(str(context["short_name"]), _over(message))}
    return RenderedText(_message(source, context | _TIGHTER[-1] | cut, start))


def text_length(text: RenderedText) -> int:
    """How many characters a text has."""
    return len(text.message)


def _message(source: Template, context: dict[str, str | bool], start: str) -> str:
    names = (str(context["practice"]), str(context["short_name"]))
    return transliterated(start + single_stops(source.render(context).strip(), names)).strip()


def _over(message: str) -> int:
    return (septets(message) or 0) - ONE_SEGMENT


def _plain(name: str) -> str:
    return " ".join(transliterated(name).split())


def _cut(name: str, surplus: int) -> str:
    """The name without its last `surplus` septets or a few more, but with three characters at least."""
    shorter = name
    while len(shorter) > 3 and (septets(name) or 0) - (septets(shorter) or 0) < surplus:  # noqa: PLR2004 - see above
        shorter = shorter[:-1]
    whole_words = shorter if name[len(shorter) :][:1] in {"", " "} else shorter.rpartition(" ")[0]
    best = whole_words if len(whole_words) >= SHORTEST_NAME else shorter
    return best.rstrip(" ,;&-")
