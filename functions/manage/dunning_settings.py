"""Dunning configurations, and the dunning settings of an organization and of all organizations of a partner."""

from dataclasses import replace

from functions.manage.frame import api, changeable, json_body, list_request, own_organization, parameters, path_id
from functions.manage.organizations import save, won
from functions.manage.settings import dependencies
from shared.contracts import wire
from shared.contracts.dunning import (
    READ_ONLY,
    ConfigurationAnswer,
    ConfigurationsPage,
    DunningAnswer,
    said_in,
    settings_after,
)
from shared.domain.records import presets
from shared.domain.records.inheritance import SYSTEM, PartnerDefaults, inheriting, overrides_of, own_after
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer
from shared.http.problems import not_found


@api.routes.get("/v1/dunning-configurations")
def search() -> Answer:
    """Find presets by id or name."""
    api.caller.require(Scope.READ)
    page, cursor = list_request().slice(list(presets.search(parameters().get("search", ""))))
    return json_answer(
        ConfigurationsPage(items=[ConfigurationAnswer.of(preset) for preset in page], next_cursor=cursor)
    )


@api.routes.get("/v1/dunning-configurations/<configuration_id>")
def read_configuration(configuration_id: str) -> Answer:
    """Read a preset."""
    api.caller.require(Scope.READ)
    preset = presets.CONFIGURATIONS.get(path_id(configuration_id, "dunning configuration"))
    if preset is None:
        raise not_found("dunning configuration")
    return json_answer(ConfigurationAnswer.of(preset))


@api.routes.get("/v1/organizations/<org_id>/dunning")
def read(org_id: str) -> Answer:
    """Read an organization's dunning settings."""
    return json_answer(DunningAnswer.of_organization(own_organization(org_id, Scope.READ)))


@api.routes.patch("/v1/organizations/<org_id>/dunning")
def change(org_id: str) -> Answer:
    """Change an organization's dunning settings by a merge patch, and have its accounts planned anew."""

    def attempt() -> Organization:
        before = own_organization(org_id, Scope.MANAGE)
        after, defaults = proposed_for(before, json_body())
        return save(after, defaults, replan=True, now=api.now)

    return json_answer(DunningAnswer.of_organization(won(attempt)))


@api.routes.get("/v1/dunning-defaults")
def read_defaults() -> Answer:
    """Read what the caller's organizations inherit."""
    api.caller.require(Scope.READ)
    return json_answer(DunningAnswer.of_partner(dependencies().defaults.get(api.caller.partner_id)))


@api.routes.patch("/v1/dunning-defaults")
def change_defaults() -> Answer:
    """Change what the caller's organizations inherit by a merge patch; it is passed on to them in the background."""
    api.caller.require(Scope.MANAGE)

    def attempt() -> PartnerDefaults:
        before, patch = dependencies().defaults.get(api.caller.partner_id), json_body()
        changes = changeable(patch, DunningAnswer.of_partner(before), READ_ONLY)
        settings = settings_after(before.dunning, SYSTEM, changes)
        own = own_after(before.overrides, said_in(changes, patch.get("inherited", {})), before.dunning, settings)
        return dependencies().defaults.save(replace(before, dunning=settings, overrides=own), api.now)

    return json_answer(DunningAnswer.of_partner(won(attempt, "The defaults are")))


def proposed_for(before: Organization, patch: wire.Json) -> tuple[Organization, PartnerDefaults]:
    """An organization after a merge patch of its dunning settings, and the defaults that it then inherits from."""
    changes = changeable(patch, DunningAnswer.of_organization(before), READ_ONLY)
    defaults = dependencies().defaults.get(before.partner_id)
    now = inheriting(before, defaults)
    settings = settings_after(now.dunning, defaults.dunning, changes)
    own = own_after(overrides_of(now), said_in(changes, patch.get("inherited", {})), now.dunning, settings)
    return inheriting(replace(before, dunning=settings, dunning_overrides=own), defaults), defaults
