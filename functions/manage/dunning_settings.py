"""Dunning configurations, and the dunning settings of an organization."""

from dataclasses import replace

from functions.manage.frame import api, list_request, merged, own_organization, parameters, path_id
from functions.manage.organizations import TRIES, busy, save
from shared.contracts.dunning import READ_ONLY, ConfigurationAnswer, ConfigurationsPage, DunningAnswer, DunningBody
from shared.domain import presets
from shared.domain.partner import Scope
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
    return json_answer(DunningAnswer.of(own_organization(org_id, Scope.READ).dunning))


@api.routes.patch("/v1/organizations/<org_id>/dunning")
def change(org_id: str) -> Answer:
    """Change an organization's dunning settings by a merge patch, and have its accounts planned anew."""
    for _ in range(TRIES):
        before = own_organization(org_id, Scope.MANAGE)
        document = merged(DunningBody.of(before.dunning), DunningAnswer.of(before.dunning), READ_ONLY)
        after = replace(before, dunning=DunningBody.model_validate(document).domain())
        saved = save(after, replan=True, now=api.now)
        if saved:
            return json_answer(DunningAnswer.of(saved.dunning))
    raise busy()
