"""Organizations: create, search, read, change."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from functions.manage.frame import api, list_request, logger, merged, route
from functions.manage.ports import ports
from shared.contracts.organizations import (
    OrganizationAnswer,
    OrganizationBody,
    OrganizationFound,
    OrganizationsPage,
)
from shared.domain.records.inheritance import PartnerDefaults, inheriting
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization, PaymentSettings, with_short_name
from shared.domain.vocabulary.json_documents import Json
from shared.domain.vocabulary.words import Processor
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError
from shared.http.routes import Query
from shared.storage.organizations import ClientIdTakenError
from shared.storage.races import BusyError, until_won

PLANNED_BY = frozenset({"communicationStatus", "accountStatus", "timeZone", "testContacts"})
"""Fields that accounts are planned by: whoever changes one has them planned again."""

SEARCH = Query("search", "Part of a name or id, in any case.")


@route(
    "POST",
    "/v1/organizations",
    operation="createOrganization",
    summary="Create an organization: Enabled, Active, on the standard preset unless the body says otherwise",
    tag="Organizations",
    scope=Scope.MANAGE,
    body=OrganizationBody,
    answer=OrganizationAnswer,
    status=201,
    problems=(409,),
)
def create(wanted: OrganizationBody) -> Answer:
    """Create an organization of the caller's."""
    _refuse_sandbox(wanted.payments.domain())
    organization = wanted.new(
        org_id=api.new_id("org_"),
        practice_id=api.new_id("prc_"),
        partner_id=api.caller.partner_id,
    )
    created_on = api.now.astimezone(organization.zone).date()
    created = _created(with_short_name(replace(organization, created_on=created_on)))
    logger.info("organization created", extra={"org_id": created.org_id})
    return json_answer(OrganizationAnswer.of(created), HTTPStatus.CREATED)


def _created(organization: Organization) -> Organization:
    def attempt() -> Organization:
        defaults = ports().defaults.get(organization.partner_id)
        return ports().organizations.create(inheriting(organization, defaults), defaults=defaults)

    try:
        return won(attempt)
    except ClientIdTakenError:
        own = ports().organizations.by_client_id(organization.partner_id, organization.client_id)
        if own and own.org_id == organization.org_id:
            return own  # by this request's first try, which failed after it
        raise ProblemError(HTTPStatus.CONFLICT, "This clientId is taken by another organization.") from None


@route(
    "GET",
    "/v1/organizations",
    operation="searchOrganizations",
    summary="Find organizations by name or client id",
    tag="Organizations",
    scope=Scope.READ,
    query=(SEARCH,),
    answer=OrganizationsPage,
)
def search() -> Answer:
    """Find the caller's organizations by name or client id, in the order of their names."""
    asked, wanted = list_request(), SEARCH.text(api.query).strip().casefold()
    found = [
        organization
        for organization in ports().organizations.list(api.caller.partner_id)
        if wanted in organization.name.casefold() or wanted in organization.client_id.casefold()
    ]
    after = asked.after
    rest = [organization for organization in found if after is None or _place(organization) > after]
    page = rest[: asked.limit]
    answer = OrganizationsPage(
        items=[OrganizationFound.of(organization) for organization in page],
        next_cursor=asked.cursor(_place(page[-1]) if len(rest) > len(page) else None),
        total=len(found),
    )
    return json_answer(answer)


@route(
    "GET",
    "/v1/organizations/{orgId}",
    operation="readOrganization",
    summary="Read an organization",
    tag="Organizations",
    scope=Scope.READ,
    answer=OrganizationAnswer,
)
def read(organization: Organization) -> Answer:
    """Read an organization."""
    return json_answer(OrganizationAnswer.of(organization))


@route(
    "PATCH",
    "/v1/organizations/{orgId}",
    operation="changeOrganization",
    summary="Change an organization by a merge patch; ids are read-only",
    tag="Organizations",
    scope=Scope.MANAGE,
    body=OrganizationBody,
    answer=OrganizationAnswer,
    problems=(409,),
)
def change(organization: Organization, patch: Json) -> Answer:
    """Change an organization by a merge patch."""
    readings = read_again(organization)

    def attempt() -> Organization:
        before = next(readings)
        document = merged(OrganizationBody.of(before), OrganizationAnswer.of(before), patch)
        said = OrganizationBody.model_validate(document | {"clientId": before.client_id}).domain(before)
        after = with_short_name(said)
        _refuse_sandbox(after.payments)
        defaults = ports().defaults.get(after.partner_id)
        return save(after, defaults, replan=not PLANNED_BY.isdisjoint(patch), now=api.now)

    return json_answer(OrganizationAnswer.of(won(attempt)))


def read_again(organization: Organization) -> Iterator[Organization]:
    """An organization as it was read, then as it is now, for as often as a change of it is tried."""
    yield organization
    while True:
        yield api.own_organization(organization.org_id)


def save(
    organization: Organization, defaults: PartnerDefaults, *, replan: bool, now: datetime, choosing: bool = False
) -> Organization:
    """Store an organization with what it inherits by now.

    Where that changes how its accounts are planned, or the caller says so (`replan`), they are planned again.
    `choosing`: it takes up one of its partner's own dunning configurations.
    Raises OrganizationChangedError when somebody else changed it, or its partner's defaults, meanwhile.
    """
    after = inheriting(organization, defaults)
    replan = replan or after.dunning != organization.dunning
    logger.info("organization changed", extra={"org_id": organization.org_id, "replan": replan})
    return ports().organizations.save(after, replan_at=now if replan else None, defaults=defaults, choosing=choosing)


def won[R](attempt: Callable[[], R], what: str = "The organization is") -> R:
    """What an attempt answers that nobody else was quicker than; a 409 problem when others keep changing it."""
    try:
        return until_won(attempt)
    except BusyError:
        raise ProblemError(
            HTTPStatus.CONFLICT, f"{what} being changed; try again.", headers={"Retry-After": "1"}
        ) from None


def _place(organization: Organization) -> tuple[str, ...]:
    return organization.name.casefold(), organization.org_id


def _refuse_sandbox(payments: PaymentSettings) -> None:
    if payments.processor is Processor.SANDBOX and not ports().settings.sandbox_processor_url:
        raise invalid("/payments/processor", "sandbox is for test stacks only")
