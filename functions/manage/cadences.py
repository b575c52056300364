"""Dunning configurations: the presets, which can only be read, and a partner's own."""

from dataclasses import replace
from http import HTTPStatus
from typing import NoReturn

from aws_lambda_powertools.event_handler import Response

from functions.manage.audit import told
from functions.manage.frame import api, list_request, logger, route
from functions.manage.organizations import SEARCH, won
from functions.manage.ports import ports
from shared.contracts.cadences import CadenceBody
from shared.contracts.dunning import ConfigurationAnswer, ConfigurationsPage
from shared.domain.records import presets
from shared.domain.records.audit import AuditEntry
from shared.domain.records.partner import Scope
from shared.domain.records.policy import DunningConfiguration
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError, not_found

MOST_CONFIGURATIONS = 100
"""How many configurations of its own a partner may have: they are all read to find one by its name."""

PRESET, IN_USE, CHANGED = "preset-is-read-only", "configuration-in-use", "configuration-changed"


@route(
    "GET",
    "/v1/dunning-configurations",
    operation="searchDunningConfigurations",
    summary="Find dunning configurations",
    tag="Dunning",
    scope=Scope.READ,
    query=(SEARCH,),
    answer=ConfigurationsPage,
)
def search() -> Answer:
    """Find presets and the caller's own configurations by id or name: the presets first."""
    asked, wanted = list_request(), SEARCH.text(api.query)
    own = presets.search(wanted, ports().configurations.list(api.caller.partner_id))
    found = {_place(configuration): configuration for configuration in (*presets.search(wanted), *own)}
    rest = [place for place in sorted(found) if asked.after is None or place > asked.after]
    page = rest[: asked.limit]
    return json_answer(
        ConfigurationsPage(
            items=[ConfigurationAnswer.of(found[place]) for place in page],
            next_cursor=asked.cursor(page[-1] if len(rest) > len(page) else None),
        )
    )


@route(
    "POST",
    "/v1/dunning-configurations",
    operation="createDunningConfiguration",
    summary="Create a dunning configuration of your own",
    tag="Dunning",
    scope=Scope.MANAGE,
    body=CadenceBody,
    answer=ConfigurationAnswer,
    status=201,
    problems=(409,),
)
def create(wanted: CadenceBody) -> Answer:
    """Create a configuration of the caller's own, which nothing uses yet."""
    partner_id = api.caller.partner_id
    created = wanted.domain(api.new_id("dcf_"), partner_id, version=1)
    if wanted.configuration_id not in {None, created.configuration_id}:
        raise invalid("/configurationId", "is given by the system")
    known = ports().configurations.get(partner_id, created.configuration_id)
    if known:
        return json_answer(ConfigurationAnswer.of(known), HTTPStatus.CREATED)  # by this request's first try
    if len(ports().configurations.list(partner_id)) >= MOST_CONFIGURATIONS:
        raise ProblemError(HTTPStatus.CONFLICT, f"There are {MOST_CONFIGURATIONS} configurations already, the most.")
    ports().configurations.create(created, _told("DunningConfigurationCreated", None, created))
    logger.info("dunning configuration created", extra={"configuration_id": created.configuration_id})
    return json_answer(ConfigurationAnswer.of(created), HTTPStatus.CREATED)


@route(
    "GET",
    "/v1/dunning-configurations/{configurationId}",
    operation="readDunningConfiguration",
    summary="Read a dunning configuration",
    tag="Dunning",
    scope=Scope.READ,
    answer=ConfigurationAnswer,
)
def read_configuration(configuration_id: str) -> Answer:
    """Read a preset or one of the caller's own."""
    preset = presets.CONFIGURATIONS.get(configuration_id)
    return json_answer(ConfigurationAnswer.of(preset or _own(configuration_id)))


@route(
    "PUT",
    "/v1/dunning-configurations/{configurationId}",
    operation="changeDunningConfiguration",
    summary="Change a configuration of your own; open bills follow in the background",
    tag="Dunning",
    scope=Scope.MANAGE,
    body=CadenceBody,
    answer=ConfigurationAnswer,
    problems=(409,),
)
def change(configuration_id: str, wanted: CadenceBody) -> Answer:
    """Make a new version of one of the caller's own; the organizations that chose it, and their bills, follow."""
    if wanted.configuration_id not in {None, configuration_id}:
        raise invalid("/configurationId", "is read-only")

    def attempt() -> DunningConfiguration:
        # Before it is read: a change between the two then makes this one lose.
        defaults = ports().defaults.get(api.caller.partner_id)
        before = _changeable(configuration_id)
        after = wanted.domain(configuration_id, before.partner_id, before.version)
        if after == before:
            return before
        if wanted.version not in {None, before.version}:
            raise ProblemError(HTTPStatus.CONFLICT, "It was changed since it was read.", type=CHANGED)
        audit = _told("DunningConfigurationChanged", before, replace(after, version=before.version + 1))
        return ports().configurations.change(after, defaults, api.now, audit)

    changed = won(attempt, "The configurations are")
    logger.info(
        "dunning configuration changed", extra={"configuration_id": configuration_id, "version": changed.version}
    )
    return json_answer(ConfigurationAnswer.of(changed))


@route(
    "DELETE",
    "/v1/dunning-configurations/{configurationId}",
    operation="deleteDunningConfiguration",
    summary="Delete a configuration of your own that nothing uses",
    tag="Dunning",
    scope=Scope.MANAGE,
    media_type="",
    status=204,
    problems=(409,),
)
def remove(configuration_id: str) -> Answer:
    """Delete one of the caller's own that neither an organization nor the defaults chose."""

    def attempt() -> None:
        defaults = ports().defaults.get(api.caller.partner_id)
        own = _changeable(configuration_id)
        if defaults.dunning.configuration_id == configuration_id:
            _refuse_used("your defaults use it")
        organizations = ports().organizations.list(api.caller.partner_id)
        used = sum(organization.dunning.configuration_id == configuration_id for organization in organizations)
        if used:
            _refuse_used(f"{used} of your organizations {'uses' if used == 1 else 'use'} it")
        ports().configurations.delete(own, defaults, _told("DunningConfigurationDeleted", own, None))

    won(attempt, "The configurations are")
    logger.info("dunning configuration deleted", extra={"configuration_id": configuration_id})
    return Response(status_code=HTTPStatus.NO_CONTENT, content_type=None, body="")


def _told(action: str, before: DunningConfiguration | None, after: DunningConfiguration | None) -> AuditEntry | None:
    """What the audit trail will have of a configuration; None: there was none, or is none any more."""
    was, becomes = (
        ConfigurationAnswer.of(each).model_dump(mode="json", by_alias=True, exclude={"configuration_id"})
        if each
        else {}
        for each in (before, after)
    )
    configuration_id, *_ = (each.configuration_id for each in (before, after) if each)
    return told(action, f"dunning-configuration:{configuration_id}", was, becomes)


def _own(configuration_id: str) -> DunningConfiguration:
    own = ports().configurations.get(api.caller.partner_id, configuration_id)
    if own is None:
        raise not_found("dunning configuration")
    return own


def _changeable(configuration_id: str) -> DunningConfiguration:
    if configuration_id in presets.CONFIGURATIONS:
        raise ProblemError(HTTPStatus.CONFLICT, "A preset can't be changed or deleted.", type=PRESET)
    return _own(configuration_id)


def _refuse_used(why: str) -> NoReturn:
    raise ProblemError(HTTPStatus.CONFLICT, f"It can't be deleted while it is used: {why}.", type=IN_USE)


def _place(configuration: DunningConfiguration) -> tuple[str, ...]:
    """Where a configuration stands in the list: the presets in their order, then one's own by id."""
    order = list(presets.CONFIGURATIONS)
    preset = configuration.configuration_id in presets.CONFIGURATIONS
    return f"{order.index(configuration.configuration_id) if preset else len(order):03}", configuration.configuration_id
