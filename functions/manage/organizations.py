"""Organizations: create, search, read, change."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from functions.manage.audit import told
from functions.manage.frame import api, list_request, logger, merged, route
from functions.manage.ports import ports
from shared.contracts.organizations import (
    OrganizationAnswer,
    OrganizationBody,
    OrganizationFound,
    OrganizationsPage,
)
from shared.domain.records.audit import AuditEntry
from shared.domain.records.inheritance import PartnerDefaults, inheriting, planned_alike
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
        audit = told("OrganizationCreated", _subject(organization), {}, _body(organization))
        return ports().organizations.create(inheriting(organization, defaults), defaults=defaults, audit=audit)

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
        after = with_short_name(_said(before, patch))
        defaults = ports().defaults.get(after.partner_id)
        audit = told("OrganizationChanged", _subject(before), _body(before), _body(after))
        return save(after, defaults, replan=not PLANNED_BY.isdisjoint(patch), now=api.now, audit=audit)

    return json_answer(OrganizationAnswer.of(won(attempt)))


def _said(before: Organization, patch: Json) -> Organization:
    """The organization after a merge patch.

    Payment settings that it leaves as they are aren't judged again: they may have been stored when less was checked,
    and nobody should have to mend them to change a phone number (docs/rules.md#ways-to-pay).
    """
    stored, answered = OrganizationBody.of(before), OrganizationAnswer.of(before)
    document = merged(stored, answered, patch) | {"clientId": before.client_id}
    without_change = merged(stored, answered, {"payments": stored.payments.model_dump(mode="json", by_alias=True)})
    if document.get("payments") in (merged(stored, answered, {}).get("payments"), without_change.get("payments")):
        untouched = OrganizationBody.model_validate(document | {"payments": {}}).domain(before)
        return replace(untouched, payments=before.payments)
    after = OrganizationBody.model_validate(document).domain(before)
    _refuse_sandbox(after.payments)
    return after


def read_again(organization: Organization) -> Iterator[Organization]:
    """An organization as it was read, then as it is now, for as often as a change of it is tried."""
    yield organization
    while True:
        yield api.own_organization(organization.org_id)


def save(
    organization: Organization,
    defaults: PartnerDefaults,
    *,
    replan: bool,
    now: datetime,
    audit: AuditEntry | None,
    choosing: bool = False,
) -> Organization:
    """Store an organization with what it inherits by now, and with what the audit trail has of it.

    Where that changes how its accounts are planned, or the caller says so (`replan`), they are planned again.
    `choosing`: it takes up one of its partner's own dunning configurations.
    Raises OrganizationChangedError when somebody else changed it, or its partner's defaults, meanwhile.
    """
    after = inheriting(organization, defaults)
    replan = replan or not planned_alike(after, organization)
    logger.info("organization changed", extra={"org_id": organization.org_id, "replan": replan})
    return ports().organizations.save(
        after, replan_at=now if replan else None, defaults=defaults, choosing=choosing, audit=audit
    )


def won[R](attempt: Callable[[], R], what: str = "The organization is") -> R:
    """What an attempt answers that nobody else was quicker than; a 409 problem when others keep changing it."""
    try:
        return until_won(attempt)
    except BusyError:
        raise ProblemError(
            HTTPStatus.CONFLICT, f"{what} being changed; try again.", headers={"Retry-After": "1"}
        ) from None


def _subject(organization: Organization) -> str:
    return f"organization:{organization.org_id}"


def _body(organization: Organization) -> Json:
    return OrganizationBody.of(organization).model_dump(mode="json", by_alias=True)


def _place(organization: Organization) -> tuple[str, ...]:
    return organization.name.casefold(), organization.org_id


def _refuse_sandbox(payments: PaymentSettings) -> None:
    if payments.processor is Processor.SANDBOX and not ports().settings.sandbox_processor_url:
        raise invalid("/payments/processor", "sandbox is for test stacks only")
