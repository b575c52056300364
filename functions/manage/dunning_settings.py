"""The dunning settings of an organization and of all organizations of a partner."""

from dataclasses import replace

from functions.manage.audit import told
from functions.manage.frame import api, changeable, route
from functions.manage.organizations import read_again, save, won
from functions.manage.ports import ports
from shared.contracts.dunning import (
    DunningAnswer,
    DunningBody,
    said_in,
    settings_after,
)
from shared.domain.records.inheritance import SYSTEM, PartnerDefaults, inheriting, overrides_of, own_after
from shared.domain.records.partner import Scope
from shared.domain.records.policy import DunningConfiguration, Organization
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.vocabulary.json_documents import Json
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/organizations/{orgId}/dunning",
    operation="readDunningSettings",
    summary="Read an organization's dunning settings",
    tag="Dunning",
    scope=Scope.READ,
    answer=DunningAnswer,
)
def read(organization: Organization) -> Answer:
    """Read an organization's dunning settings."""
    return json_answer(DunningAnswer.of_organization(organization))


@route(
    "PATCH",
    "/v1/organizations/{orgId}/dunning",
    operation="changeDunningSettings",
    summary="Change dunning settings by a merge patch, null to inherit; every account that owes is planned again",
    tag="Dunning",
    scope=Scope.MANAGE,
    body=DunningBody,
    answer=DunningAnswer,
    problems=(409,),
)
def change(organization: Organization, patch: Json) -> Answer:
    """Change an organization's dunning settings by a merge patch, and have its accounts planned again."""
    readings = read_again(organization)

    def attempt() -> Organization:
        before = next(readings)
        after, defaults = proposed_for(before, patch)
        was, becomes = (DunningAnswer.of_organization(each) for each in (before, inheriting(after, defaults)))
        audit = told("DunningChanged", f"organization:{before.org_id}", _as_json(was), _as_json(becomes))
        choosing = "configurationId" in patch and after.dunning.own_configuration is not None
        return save(after, defaults, replan=True, now=api.now, choosing=choosing, audit=audit)

    return json_answer(DunningAnswer.of_organization(won(attempt)))


@route(
    "GET",
    "/v1/dunning-defaults",
    operation="readDunningDefaults",
    summary="Read the dunning settings that your organizations inherit",
    tag="Dunning",
    scope=Scope.READ,
    answer=DunningAnswer,
)
def read_defaults() -> Answer:
    """Read what the caller's organizations inherit."""
    return json_answer(DunningAnswer.of_partner(ports().defaults.get(api.caller.partner_id)))


@route(
    "PATCH",
    "/v1/dunning-defaults",
    operation="changeDunningDefaults",
    summary="Change what your organizations inherit by a merge patch; it reaches them in the background",
    tag="Dunning",
    scope=Scope.MANAGE,
    body=DunningBody,
    answer=DunningAnswer,
    problems=(409,),
)
def change_defaults(patch: Json) -> Answer:
    """Change what the caller's organizations inherit by a merge patch; it is passed on to them in the background."""

    def attempt() -> PartnerDefaults:
        before = ports().defaults.get(api.caller.partner_id)
        changes = changeable(patch, DunningAnswer.of_partner(before))
        settings = settings_after(before.dunning, SYSTEM, changes, _named(before.partner_id, changes))
        own = own_after(before.overrides, said_in(changes, patch.get("inherited", {})), before.dunning, settings)
        after = replace(before, dunning=settings, overrides=own)
        was, becomes = (DunningAnswer.of_partner(each) for each in (before, after))
        audit = told("DefaultsChanged", f"partner:{before.partner_id}", _as_json(was), _as_json(becomes))
        return ports().defaults.save(after, api.now, audit)

    return json_answer(DunningAnswer.of_partner(won(attempt, "The defaults are")))


def _as_json(settings: DunningAnswer) -> Json:
    return settings.model_dump(mode="json", by_alias=True)


def proposed_for(
    before: Organization, patch: Json, named: DunningConfiguration | None = None
) -> tuple[Organization, PartnerDefaults]:
    """An organization after a merge patch of its dunning settings, and the defaults that it then inherits from.

    `named`: the configuration that the patch names, where it isn't the partner's as stored.
    """
    changes = changeable(patch, DunningAnswer.of_organization(before))
    defaults = ports().defaults.get(before.partner_id)
    now = inheriting(before, defaults)
    settings = settings_after(now.dunning, defaults.dunning, changes, named or _named(before.partner_id, changes))
    own = own_after(overrides_of(now), said_in(changes, patch.get("inherited", {})), now.dunning, settings)
    return inheriting(replace(before, dunning=settings, dunning_overrides=own), defaults), defaults


def _named(partner_id: str, patch: Json) -> DunningConfiguration | None:
    """The partner's own configuration that a merge patch names, as it is now; the defaults were read before it."""
    configuration_id = patch.get("configurationId")
    if not isinstance(configuration_id, str) or configuration_id in CONFIGURATIONS:
        return None
    return ports().configurations.get(partner_id, configuration_id)
