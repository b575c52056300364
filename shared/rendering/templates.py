"""Message templates, and the system's own ones in every language.

A system template is put together from a layout (templates/) and words (translations/), once a process. What comes out
is the same kind of thing that an organization's own template is: sources that only lack a message's variables.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from shared.domain.vocabulary.words import Channel, Language, NotificationType

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """The sources of one version of a template: for email all three, for a text or a letter's message `text` only."""

    text: str
    subject: str = ""
    html: str = ""


class NoSuchTemplateError(LookupError):
    """There are no words for this type of notice on this channel."""


@cache
def system_template(channel: Channel, notification_type: NotificationType, language: Language) -> MessageTemplate:
    """The system's own template. Raises NoSuchTemplateError where a channel doesn't carry this type of notice."""
    translations = _translations(language)
    words = translations[channel].get(notification_type)
    if words is None:
        raise NoSuchTemplateError(f"{channel} has no words for {notification_type}")
    if channel is Channel.PRINT:
        return MessageTemplate(text=words)
    if channel is Channel.SMS:
        return MessageTemplate(text=_laid_out("sms.txt", words=words, shared=translations[channel]))
    parts = {
        "language": language,
        "words": {"receipt": False, "button": "", "closing": [], **words},
        "shared": translations[channel]["shared"],
    }
    return MessageTemplate(
        subject=words["subject"],
        html=_laid_out("email.html", screens_css=_read("templates/email_screens.css").strip(), **parts),
        text=_laid_out("email.txt", **parts),
    )


@cache
def _translations(language: Language) -> dict[str, Any]:
    return tomllib.loads(_read(f"translations/{language}.toml"))


@cache
def _layouts() -> Environment:
    """For our own layouts only. The square brackets leave the variables' braces for each message to fill in."""
    return Environment(  # noqa: S701 - what is put in are our own words, which hold template code themselves
        undefined=StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _laid_out(layout: str, **parts: Any) -> str:  # noqa: ANN401 - words of any shape
    return _layouts().from_string(_read(f"templates/{layout}")).render(parts)


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
