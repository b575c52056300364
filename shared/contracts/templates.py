"""Bodies of the templates of the partner API."""

from pydantic import Field

from shared.contracts.wire import WireModel
from shared.domain.vocabulary.words import Channel, Language, NotificationType


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
