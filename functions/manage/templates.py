"""The templates that notices are written with."""

from functions.manage.frame import list_request, route
from shared.contracts.templates import TemplateAnswer, TemplatesPage
from shared.domain.records.partner import Scope
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/templates",
    operation="listTemplates",
    summary="List the system's own templates",
    tag="Templates",
    scope=Scope.READ,
    answer=TemplatesPage,
)
def search() -> Answer:
    """The system's own templates: one for each channel, type and language."""
    page, cursor = list_request().slice(_system_templates())
    return json_answer(TemplatesPage(items=page, next_cursor=cursor))


def _system_templates() -> list[TemplateAnswer]:
    from shared.rendering.templates import NoSuchTemplateError, system_template  # noqa: PLC0415 - only this route needs it

    found: list[TemplateAnswer] = []
    for channel in Channel:
        for kind in NotificationType:
            for language in Language:
                try:
                    template = system_template(channel, kind, language)
                except NoSuchTemplateError:
                    continue
                found.append(
                    TemplateAnswer(
                        template_id=SYSTEM_DEFAULT_TEMPLATE,
                        channel=channel,
                        notification_type=kind,
                        language=language,
                        subject=template.subject or None,
                        html=template.html or None,
                        text=template.text,
                    )
                )
    return found
