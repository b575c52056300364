"""Bodies of the templates of the partner API."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from shared.contracts.plain_text import UNREADABLE
from shared.contracts.wire import Instant, WireModel, Word
from shared.domain.records.own_template import OwnTemplate
from shared.domain.vocabulary.words import Channel, Language, NotificationType

TEMPLATE_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a template's id looks like."""


class TemplateAnswer(WireModel):
    """A template: sources that lack only a message's variables."""

    template_id: str = Field(examples=["<System Default>"])
    channel: Channel
    notification_type: NotificationType
    language: Language
    subject: str | None
    html: str | None
    text: str


class TemplatesPage(WireModel):
    """A page of templates."""

    items: list[TemplateAnswer]
    next_cursor: str | None


def _plain_source(source: str) -> str:
    if UNREADABLE.search(source.translate(LINE_SIGNS)):
        raise ValueError("must have no control characters but line breaks and tabs")
    return source


LINE_SIGNS = str.maketrans("", "", "\t\r\n")

TemplateSource = Annotated[str, AfterValidator(_plain_source)]
"""A template's source: of any number of lines."""


class TemplateBody(WireModel):
    """A template of your own, for one channel and language."""

    channel: Word[Channel]
    language: Word[Language]
    subject: Annotated[TemplateSource, Field(max_length=200)] | None = Field(
        default=None, description="Of an email.", examples=["Your statement from {{ practice }}"]
    )
    html: Annotated[TemplateSource, Field(max_length=100_000)] | None = Field(default=None, description="Of an email.")
    text: Annotated[TemplateSource, Field(max_length=20_000)] = Field(
        examples=["{{ short_name }}: your statement is ready: {{ link }} Reply STOP to opt out."]
    )


class OwnTemplateAnswer(WireModel):
    """A template of your own."""

    template_id: str
    channel: Channel
    language: Language
    subject: str | None
    html: str | None
    text: str
    version: int = Field(description="From 1; raised by each change.")
    saved_at: Instant

    @classmethod
    def of(cls, template: OwnTemplate) -> Self:
        """A template as stored."""
        return cls(
            template_id=template.template_id,
            channel=template.channel,
            language=template.language,
            subject=template.subject or None,
            html=template.html or None,
            text=template.text,
            version=template.version,
            saved_at=template.saved_at,
        )


class OwnTemplatesPage(WireModel):
    """A page of your own templates."""

    items: list[OwnTemplateAnswer]
    next_cursor: str | None


class SampleBody(WireModel):
    """Which sample is to be sent to the organization's test contact."""

    channel: Word[Channel]
    notification_type: Word[NotificationType]
    language: Word[Language] = Language.ENGLISH


class SampleAsked(WireModel):
    """A sample that was asked for."""

    test_message_id: str


class TemplatePreviewAnswer(WireModel):
    """A message as it would look: of an email all parts, of a text and a letter's paragraph `text` only."""

    template_id: str = Field(description="<System Default> where the organization has no template of its own.")
    channel: Channel
    notification_type: NotificationType
    language: Language
    version: int | None = Field(description="null: it is the system's.")
    subject: str | None
    html: str | None
    text: str
