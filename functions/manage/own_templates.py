"""The templates that an organization writes itself: saved once nothing is wrong with them, and previewed.

What renders is imported where a request needs it: no other request's cold start pays for it.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.manage.audit import told
from functions.manage.frame import actor, api, list_request, logger, route
from functions.manage.organizations import read_again, won
from functions.manage.ports import ports
from shared.contracts.templates import (
    TEMPLATE_ID,
    OwnTemplateAnswer,
    OwnTemplatesPage,
    TemplateBody,
    TemplatePreviewAnswer,
)
from shared.domain.records.audit import AuditEntry
from shared.domain.records.own_template import OwnTemplate, has_template, template_place
from shared.domain.records.partner import Scope
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.vocabulary.json_documents import Json
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import INVALID_BODY, InputError, ProblemError, not_found
from shared.http.routes import Query, WordQuery, wrong_parameter

MOST_TEMPLATES = 200
"""How many sources an organization may have, by id, channel and language: it carries their names."""


class PreviewFill(StrEnum):
    """What a preview puts for a template's variables."""

    PLACEHOLDERS = "placeholders"
    SAMPLE = "sample"


OF_CHANNEL = WordQuery("channel", "email unless given.", Channel)
OF_LANGUAGE = WordQuery("language", "en unless given.", Language)
OF_TYPE = WordQuery("notificationType", "The id's own, or Initial, unless given.", NotificationType)
FILLED_WITH = WordQuery("fill", "placeholders: variables by name, which is usual; sample: a made-up bill.", PreviewFill)
OF_VERSION = Query("version", "An earlier version; the latest unless given.")


@route(
    "GET",
    "/v1/organizations/{orgId}/templates",
    operation="listOwnTemplates",
    summary="List an organization's own templates",
    tag="Templates",
    scope=Scope.READ,
    answer=OwnTemplatesPage,
)
def own_templates(organization: Organization) -> Answer:
    """The templates that an organization wrote itself, by id, channel and language."""
    asked = list_request()
    found = {(template.place,): template for template in ports().templates.list(organization)}
    rest = [place for place in sorted(found) if asked.after is None or place > asked.after]
    page = rest[: asked.limit]
    return json_answer(
        OwnTemplatesPage(
            items=[OwnTemplateAnswer.of(found[place]) for place in page],
            next_cursor=asked.cursor(page[-1] if len(rest) > len(page) else None),
        )
    )


@route(
    "PUT",
    "/v1/organizations/{orgId}/templates/{templateId}",
    operation="saveTemplate",
    summary="Save a template for a channel and language; an id that is a notificationType replaces that type's default",
    tag="Templates",
    scope=Scope.MANAGE,
    body=TemplateBody,
    answer=OwnTemplateAnswer,
    problems=(409,),
)
def save_template(organization: Organization, template_id: str, wanted: TemplateBody) -> Answer:
    """Save a template that nothing is wrong with, in its next version."""
    if not re.fullmatch(TEMPLATE_ID, template_id):
        raise not_found("template")
    template = OwnTemplate(
        org_id=organization.org_id,
        template_id=template_id,
        channel=wanted.channel,
        language=wanted.language,
        subject=wanted.subject or "",
        html=wanted.html or "",
        text=wanted.text,
        saved_at=api.now,
        saved_by=actor(),
    )
    _refuse_faults(template)
    readings = read_again(organization)

    def attempt() -> OwnTemplate:
        now = next(readings)
        before = ports().templates.get(now.org_id, template.place)
        if template.place not in now.own_templates and len(now.own_templates) >= MOST_TEMPLATES:
            raise ProblemError(HTTPStatus.CONFLICT, f"There are {MOST_TEMPLATES} templates already, the most.")
        version, in_use = before.version if before else 0, before if template.place in now.own_templates else None
        if in_use and _same(in_use, template):
            return in_use
        audit = _told("TemplateSaved", in_use, replace(template, version=version + 1))
        return ports().templates.save(template, now, version=version, audit=audit)

    saved = won(attempt)
    facts = {"org_id": saved.org_id, "template_id": saved.template_id, "version": saved.version}
    logger.info("template saved", extra=facts)
    return json_answer(OwnTemplateAnswer.of(saved))


@route(
    "DELETE",
    "/v1/organizations/{orgId}/templates/{templateId}",
    operation="removeTemplate",
    summary="Use a template of your own no more; its notifications go by the system's",
    tag="Templates",
    scope=Scope.MANAGE,
    query=(OF_CHANNEL, OF_LANGUAGE),
    media_type="",
    status=204,
    problems=(409,),
)
def remove_template(organization: Organization, template_id: str) -> Answer:
    """Use a template no more. Without a channel or a language: of all of them. Its versions are kept."""
    channels = [OF_CHANNEL.word(api.query)] if "channel" in api.query else list(Channel)
    languages = [OF_LANGUAGE.word(api.query)] if "language" in api.query else list(Language)
    places = {template_place(template_id, one, each) for one in channels for each in languages if one and each}
    readings = read_again(organization)

    def attempt() -> None:
        now = next(readings)
        if places.isdisjoint(now.own_templates):
            raise not_found("template")
        removed = (ports().templates.get(now.org_id, place) for place in sorted(places.intersection(now.own_templates)))
        ports().templates.take_away(places, now, [_told("TemplateRemoved", each, None) for each in removed])

    won(attempt)
    return Response(status_code=HTTPStatus.NO_CONTENT, content_type=None, body="")


@route(
    "GET",
    "/v1/organizations/{orgId}/templates/{templateId}/preview",
    operation="previewTemplate",
    summary="Preview a template of your own, or <System Default>, with placeholders or with a made-up bill",
    tag="Templates",
    scope=Scope.READ,
    query=(OF_CHANNEL, OF_LANGUAGE, OF_TYPE, FILLED_WITH, OF_VERSION),
    answer=TemplatePreviewAnswer,
)
def preview(organization: Organization, template_id: str) -> Answer:
    """A message as it would look."""
    from shared.rendering.template_previews import with_placeholders, with_sample_bill  # noqa: PLC0415 - see above
    from shared.rendering.templates import NoSuchTemplateError  # noqa: PLC0415 - see above

    asked = _asked(template_id)
    own = _own(organization, template_id, asked)
    try:
        shown = (
            with_sample_bill(own, organization, asked.kind, asked.channel, asked.language)
            if asked.sample
            else with_placeholders(own, asked.kind, asked.channel, asked.language)
        )
    except NoSuchTemplateError:
        raise not_found("template") from None
    return json_answer(
        TemplatePreviewAnswer(
            template_id=own.template_id if own else SYSTEM_DEFAULT_TEMPLATE,
            channel=asked.channel,
            notification_type=asked.kind,
            language=asked.language,
            version=own.version if own else None,
            subject=shown.subject or None,
            html=shown.html or None,
            text=shown.text,
        )
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a preview is asked of. version: None: the latest."""

    channel: Channel
    language: Language
    kind: NotificationType
    sample: bool
    version: int | None


def _asked(template_id: str) -> _Asked:
    version = OF_VERSION.text(api.query)
    if version and not re.fullmatch(r"[1-9][0-9]{0,5}", version):
        raise wrong_parameter(OF_VERSION.name, "must be a whole number from 1")
    of_the_id = {kind.value: kind for kind in NotificationType}.get(template_id, NotificationType.INITIAL)
    return _Asked(
        channel=OF_CHANNEL.word(api.query) or Channel.EMAIL,
        language=OF_LANGUAGE.word(api.query) or Language.ENGLISH,
        kind=OF_TYPE.word(api.query) or of_the_id,
        sample=FILLED_WITH.word(api.query) is PreviewFill.SAMPLE,
        version=int(version) if version else None,
    )


def _own(organization: Organization, template_id: str, asked: _Asked) -> OwnTemplate | None:
    """The template asked for; None: the system's, for its own name and for a type that has no other.

    A 404 problem where there is neither.
    """
    system = template_id == SYSTEM_DEFAULT_TEMPLATE or template_id in set(NotificationType)
    place = template_place(template_id, asked.channel, asked.language)
    own = None
    if place in organization.own_templates:
        own = ports().templates.get(organization.org_id, place, asked.version)
    if own is None and (not system or asked.version is not None):
        raise not_found("template")
    return own


def known_template(organization: Organization, template_id: str | None, channel: Channel) -> str:
    """The template that a request names for a channel, if any; a 422 problem where the organization hasn't got it."""
    if template_id is None or template_id == SYSTEM_DEFAULT_TEMPLATE:
        return SYSTEM_DEFAULT_TEMPLATE
    if not has_template(organization, template_id, channel):
        raise invalid("/templateId", "must be the templateId of a template that the organization has for this channel")
    return template_id


def _refuse_faults(template: OwnTemplate) -> None:
    from shared.rendering.template_review import review  # noqa: PLC0415 - see above

    faults = review(template)
    if faults:
        errors = [InputError(pointer=fault.pointer, detail=fault.detail) for fault in faults]
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_BODY, errors)


def _told(action: str, before: OwnTemplate | None, after: OwnTemplate | None) -> AuditEntry | None:
    """What the audit trail will have of a template: which, and its version; None: it wasn't in use, or isn't any more.

    What it said stands in its versions, which are kept.
    """
    was, becomes = (_which(each) if each else {} for each in (before, after))
    place, *_ = (f"{each.org_id}/{each.place}" for each in (before, after) if each)
    return told(action, f"template:{place}", was, becomes)


def _which(template: OwnTemplate) -> Json:
    said = OwnTemplateAnswer.of(template).model_dump(mode="json", by_alias=True)
    return {name: said[name] for name in ("templateId", "channel", "language", "version")}


def _same(before: OwnTemplate, wanted: OwnTemplate) -> bool:
    return (before.subject, before.html, before.text) == (wanted.subject, wanted.html, wanted.text)
