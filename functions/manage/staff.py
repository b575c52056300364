"""Staff: the people who work for a partner, what they do, and which organizations they may see."""

from dataclasses import replace
from functools import partial
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.manage.audit import told
from functions.manage.frame import api, list_request, logger, merged, route
from functions.manage.ports import ports
from shared.contracts.staff import StaffAnswer, StaffBody, StaffPage
from shared.domain.records.audit import AuditEntry
from shared.domain.records.partner import Scope
from shared.domain.records.staff import StaffMember
from shared.domain.vocabulary.json_documents import Json
from shared.http.api import Answer, json_answer
from shared.http.problems import INVALID_BODY, InputError, ProblemError, not_found

NAMING = frozenset({"name", "email"})
"""Members that say who a person is: the audit trail has that they changed, and the person's id."""


@route(
    "POST",
    "/v1/staff",
    operation="createStaff",
    summary="Add a person to the partner's staff",
    tag="Staff",
    scope=Scope.MANAGE,
    body=StaffBody,
    answer=StaffAnswer,
    status=201,
)
def create(wanted: StaffBody) -> Answer:
    """Add a person."""
    new = _with(
        StaffMember(
            staff_id=api.new_id("stf_"),
            partner_id=api.caller.partner_id,
            name=wanted.name,
            email=wanted.email,
            role=wanted.role,
            billing_permission=wanted.billing_permission,
            created_at=api.now,
        ),
        wanted,
    )
    ports().staff.create(new, _told("StaffAdded", None, new))
    logger.info("staff added", extra={"staff_id": new.staff_id})
    return json_answer(StaffAnswer.of(new), HTTPStatus.CREATED)


@route(
    "GET",
    "/v1/staff",
    operation="listStaff",
    summary="List the partner's staff",
    tag="Staff",
    scope=Scope.READ,
    answer=StaffPage,
)
def list_all() -> Answer:
    """The partner's staff, page by page."""
    asked = list_request()
    found, more = ports().staff.page(api.caller.partner_id, asked.limit, asked.after[0] if asked.after else "")
    cursor = asked.cursor((found[-1].staff_id,) if more else None)
    return json_answer(StaffPage(items=[StaffAnswer.of(each) for each in found], next_cursor=cursor))


@route(
    "GET",
    "/v1/staff/{staffId}",
    operation="readStaff",
    summary="Read a person of the partner's staff",
    tag="Staff",
    scope=Scope.READ,
    answer=StaffAnswer,
)
def read(staff_id: str) -> Answer:
    """Read a person."""
    found = ports().staff.get(api.caller.partner_id, staff_id)
    if found is None:
        raise not_found("person")
    return json_answer(StaffAnswer.of(found))


@route(
    "PATCH",
    "/v1/staff/{staffId}",
    operation="changeStaff",
    summary="Change what is known of a person, their role or what they may see",
    tag="Staff",
    scope=Scope.MANAGE,
    body=StaffBody,
    answer=StaffAnswer,
    problems=(409,),
)
def change(staff_id: str, patch: Json) -> Answer:
    """Change a person."""

    def changed(member: StaffMember) -> StaffMember:
        said = merged(StaffBody.of(member), StaffAnswer.of(member), patch)
        return _with(member, StaffBody.model_validate(said))

    after = ports().staff.change(api.caller.partner_id, staff_id, changed, partial(_told, "StaffChanged"))
    if after is None:
        raise not_found("person")
    return json_answer(StaffAnswer.of(after))


@route(
    "DELETE",
    "/v1/staff/{staffId}",
    operation="deleteStaff",
    summary="Take a person off the partner's staff",
    tag="Staff",
    scope=Scope.MANAGE,
    media_type="",
    status=204,
    problems=(409,),
)
def delete(staff_id: str) -> Answer:
    """Delete a person; a 404 problem where there is none (any more)."""
    if not ports().staff.delete(api.caller.partner_id, staff_id, partial(_told, "StaffRemoved")):
        raise not_found("person")
    logger.info("staff removed", extra={"staff_id": staff_id})
    return Response(status_code=HTTPStatus.NO_CONTENT, body="")


def _told(action: str, before: StaffMember | None, after: StaffMember | None) -> AuditEntry | None:
    """What the audit trail will have of a person; None: they weren't of the staff, or aren't any more."""
    was, becomes = (
        StaffBody.of(each).model_dump(mode="json", by_alias=True) if each else {} for each in (before, after)
    )
    staff_id, *_ = (each.staff_id for each in (before, after) if each)
    return told(action, f"staff:{staff_id}", was, becomes, NAMING)


def _with(member: StaffMember, wanted: StaffBody) -> StaffMember:
    """The person as a body says; a 422 problem for an organization that isn't the partner's."""
    given = wanted.organizations or []
    strangers = [
        InputError(pointer=f"/organizations/{n}", detail="must be one of your organizations")
        for n, org_id in enumerate(given)
        if ports().organizations.of_partner(member.partner_id, org_id) is None
    ]
    if strangers:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_BODY, strangers)
    return replace(
        member,
        name=wanted.name,
        email=wanted.email,
        role=wanted.role,
        billing_permission=wanted.billing_permission,
        organizations=None if wanted.organizations is None else frozenset(given),
        provider_id=wanted.provider_id or "",
    )
