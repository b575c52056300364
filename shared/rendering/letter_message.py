"""The paragraph of a letter that says why it is sent; everything else on it is the statement's own."""

from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.environment import compiled_text
from shared.rendering.formats import single_stops
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.testing_marks import sentence_on_top
from shared.rendering.variables import MessageVariables


def render_letter_message(
    notification_type: NotificationType,
    language: Language,
    variables: MessageVariables,
    template: MessageTemplate | None = None,
) -> str:
    """Write a letter's message. Raises jinja2.TemplateError as emails do."""
    source = compiled_text((template or system_template(Channel.PRINT, notification_type, language)).text)
    message = source.render(
        practice=variables.practice,
        short_name=variables.short_name,
        first_name=variables.first_name,
        phone=variables.phone,
    ).strip()
    message = single_stops(message, (variables.practice, variables.short_name))
    return f"{sentence_on_top(language, variables)} {message}" if variables.test_recipient else message
