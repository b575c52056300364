"""Organizations: create, search, read, change."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from functions.manage.frame import (
    api,
    body,
    invalid,
    json_body,
    list_request,
    logger,
    merged,
    once,
    own_organization,
    parameters,
)
from functions.manage.settings import dependencies
from shared.contracts.organizations import (
    READ_ONLY,
    OrganizationAnswer,
    OrganizationBody,
    OrganizationFound,
    OrganizationsPage,
)
from shared.domain.records.inheritance import PartnerDefaults, inheriting
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization, PaymentSettings, with_short_name
from shared.domain.vocabulary.words import Processor
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError
from shared.storage.organizations import ClientIdTakenError
from shared.storage.races import BusyError, until_won

PLANNED_BY = frozenset({"communicationStatus", "accountStatus", "timeZone", "testContacts"})
"""Members that accounts are planned by: whoever changes one has them planned anew."""


@api.routes.post("/v1/organizations")
@once
def create() -> Answer:
    """Create an organization of the caller's."""
    api.caller.require(Scope.MANAGE)
    wanted = body(OrganizationBody)
    _refuse_sandbox(wanted.payments.domain())
    organization = wanted.new(
        org_id=f"org_{secrets.token_hex(10)}",
        practice_id=f"prc_{secrets.token_hex(10)}",
        partner_id=api.caller.partner_id,
    )
    created_on = api.now.astimezone(organization.zone).date()
    created = _created(with_short_name(replace(organization, created_on=created_on)))
    logger.info("organization created", extra={"org_id": created.org_id})
    return json_answer(OrganizationAnswer.of(created), HTTPStatus.CREATED)


def _created(organization: Organization) -> Organization:
    def attempt() -> Organization:
        defaults = dependencies().defaults.get(organization.partner_id)
        return dependencies().organizations.create(inheriting(organization, defaults), defaults=defaults)

    try:
        return won(attempt)
    except ClientIdTakenError:
        raise ProblemError(HTTPStatus.CONFLICT, "This clientId is taken by another organization.") from None


@api.routes.get("/v1/organizations")
def search() -> Answer:
    """Find the caller's organizations by name or client id, in the order of their names."""
    api.caller.require(Scope.READ)
    asked, wanted = list_request(), parameters().get("search", "").strip().casefold()
    found = [
        organization
        for organization in dependencies().organizations.list(api.caller.partner_id)
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


@api.routes.get("/v1/organizations/<org_id>")
def read(org_id: str) -> Answer:
    """Read an organization."""
    return json_answer(OrganizationAnswer.of(own_organization(org_id, Scope.READ)))


@api.routes.patch("/v1/organizations/<org_id>")
def change(org_id: str) -> Answer:
    """Change an organization by a merge patch."""

    def attempt() -> Organization:
        before = own_organization(org_id, Scope.MANAGE)
        document = merged(OrganizationBody.of(before), OrganizationAnswer.of(before), READ_ONLY)
        said = OrganizationBody.model_validate(document | {"clientId": before.client_id}).domain(before)
        after = with_short_name(said)
        _refuse_sandbox(after.payments)
        defaults = dependencies().defaults.get(after.partner_id)
        return save(after, defaults, replan=not PLANNED_BY.isdisjoint(json_body()), now=api.now)

    return json_answer(OrganizationAnswer.of(won(attempt)))


def save(organization: Organization, defaults: PartnerDefaults, *, replan: bool, now: datetime) -> Organization:
    """Store an organization with what it inherits by now.

    Where that changes how its accounts are planned, or the caller says so (`replan`), they are planned anew.
    Raises OrganizationChangedError when somebody else changed it, or its partner's defaults, meanwhile.
    """
    after = inheriting(organization, defaults)
    replan = replan or after.dunning != organization.dunning
    logger.info("organization changed", extra={"org_id": organization.org_id, "replan": replan})
    return dependencies().organizations.save(after, replan_at=now if replan else None, defaults=defaults)


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
    if payments.processor is Processor.SANDBOX and not dependencies().settings.sandbox_processor_url:
        raise invalid("/payments/processor", "sandbox is for test stacks only")
