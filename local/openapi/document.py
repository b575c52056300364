"""The API's OpenAPI 3.1 document, made from the routes' decorators and the models of their bodies."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.openapi.schemas import Schemas, reference
from shared.http import idempotency, problems
from shared.http.cursors import DEFAULT_LIMIT, MOST_ITEMS
from shared.http.partner_api import ACTOR_HEADER, LONGEST_ACTOR
from shared.http.routes import DayQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.domain.vocabulary.json_documents import Json
    from shared.http.routes import Query, Route

VERSION = "1.0.0"
INTRODUCTION = (
    "Patient billing: send statements in, and the right notice goes out, when and how the organization's settings say."
    " Money is written as decimal strings, dates as ISO 8601, instants as RFC 3339 in UTC. Errors are problem details"
    " (RFC 9457). A query parameter that a route doesn't have is a 400. HEAD is answered wherever GET is."
)
KEY = (
    "`Authorization: Bearer dun_<live|test>_<keyId>_<secret>`. A key belongs to one partner and has scopes; what is"
    " somebody else's answers 404, a missing scope 403. Each operation names the scope that it needs."
)
TAGS = (
    "Statements",
    "Organizations",
    "Dunning",
    "Bills",
    "Payments",
    "Reports",
    "Payment links",
    "Accounts",
    "Notifications",
    "Tasks",
    "Templates",
    "Staff",
    "Webhooks",
    "Patient pages",
    "Inbound",
    "Documentation",
)
"""The subjects of the routes, in the order in which a reader meets them."""

FOR_PARTNERS = (400, 401, 403)
"""What every partner endpoint may answer."""

WITH_BODIES = frozenset({"POST", "PUT", "PATCH"})
"""The methods that a request's body goes with."""


def document(routes: Sequence[Route]) -> Json:
    """The whole document of some routes."""
    routes = sorted(routes, key=lambda route: TAGS.index(route.tag))
    schemas = Schemas(routes, (problems.Problem, "serialization"))
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    statuses = sorted({status for route in routes for status in (*_problems(route), *_of_the_gateway(route))})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dunlin", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": ".", "description": "Where this document was read."}],
        "tags": [{"name": name} for name in TAGS],
        "security": [{"partnerKey": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"partnerKey": {"type": "http", "scheme": "bearer", "description": KEY}},
            "schemas": schemas.definitions,
            "responses": {_phrase(status): _problem(status) for status in statuses},
        },
    }


def _operation(route: Route, schemas: Schemas) -> Json:
    operation: Json = {"operationId": route.operation, "summary": route.summary, "tags": [route.tag]}
    if route.scope:
        operation["description"] = f"Scope: `{route.scope}`."
    # OpenAPI 3.1 lets any scheme name what a key must be allowed.
    operation["security"] = [{"partnerKey": [str(route.scope)]}] if route.scope else []
    parameters = [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        kinds = ["application/json", *(["application/merge-patch+json"] if route.merge_patch else [])]
        schema = schemas.of_body(route, route.body)
        operation["requestBody"] = {
            "required": _needs_body(route),
            "content": {kind: {"schema": schema} for kind in kinds},
        }
    operation["responses"] = _responses(route, schemas)
    return operation


def _needs_body(route: Route) -> bool:
    members = route.body.model_fields.values() if route.body and not route.merges else ()
    return route.method == "PATCH" or any(member.is_required() for member in members)


def _responses(route: Route, schemas: Schemas) -> Json:
    content = _content(route, schemas)
    answers: Json = {
        str(int(status)): {"description": meaning, **({} if HTTPStatus(status).is_redirection else content)}
        for status, meaning in sorted({route.status: HTTPStatus(route.status).phrase, **route.others}.items())
    }
    for status in _problems(route):
        shared = {"$ref": f"#/components/responses/{_phrase(status)}"}
        answers[str(status)] = shared if route.frame.problem_type == problems.MEDIA_TYPE else _page(status)
    for status in _of_the_gateway(route):
        told = answers.setdefault(str(status), {"$ref": f"#/components/responses/{_phrase(status)}"})
        told.get("content", {}).update(_problem(status)["content"])
    return dict(sorted(answers.items()))


def _content(route: Route, schemas: Schemas) -> Json:
    """What the answer is made of, if it is made of anything."""
    if not route.media_type:
        return {}
    schema: Json = {"type": "object" if route.media_type == "application/json" else "string"}
    content: Json = {route.media_type: {"schema": schemas.of_answer(route.answer) if route.answer else schema}}
    return {"content": content | {kind: {"schema": {"type": "string"}} for kind in route.also}}


def _problems(route: Route) -> list[int]:
    """The statuses of errors that a route may answer."""
    found = {*route.problems, 500}
    if route.scope:
        found |= {*FOR_PARTNERS, *((404,) if "{" in route.path else ())}
        found |= {413, 422} if route.method in WITH_BODIES else set()
        found |= {409} if route.method == "POST" else set()
    elif route.frame.problem_type == problems.MEDIA_TYPE:
        found |= {400}
    return sorted(found)


def _of_the_gateway(route: Route) -> list[int]:
    """The statuses of errors that the gateway may answer before a route is asked, always as problem details."""
    return [413, 429] if route.method in WITH_BODIES else [429]


def _phrase(status: int) -> str:
    return "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", HTTPStatus(status).phrase))


def _problem(status: int) -> Json:
    schema = reference(problems.Problem.__name__)
    return {"description": HTTPStatus(status).phrase, "content": {problems.MEDIA_TYPE: {"schema": schema}}}


def _page(status: int) -> Json:
    return {"description": HTTPStatus(status).phrase, "content": {"text/html": {"schema": {"type": "string"}}}}


def _path_parameters(route: Route) -> list[Json]:
    names = re.findall(r"\{(\w+)\}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[Json]:
    given = [_query_parameter(query) for query in route.query]
    if route.paged:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": DEFAULT_LIMIT}
        about = "The nextCursor of the page before."
        given.append({"name": "limit", "in": "query", "description": "Items on a page.", "schema": limit})
        given.append({"name": "cursor", "in": "query", "description": about, "schema": {"type": "string"}})
    return given


def _query_parameter(query: Query) -> Json:
    schema: Json = {"type": "string"} | ({"enum": list(query.words)} if query.words else {})
    if isinstance(query, DayQuery):
        schema["format"] = "date"
    return {"name": query.name, "in": "query", "description": query.description, "schema": schema}


def _header_parameters(route: Route) -> list[Json]:
    if route.method == "GET" or not route.scope:
        return []
    about = "The person behind the request; kept as `by` in histories, beside the key."
    schema: Json = {"type": "string", "maxLength": LONGEST_ACTOR}
    actor = {"name": ACTOR_HEADER, "in": "header", "description": about, "schema": schema}
    if route.method != "POST":
        return [actor]
    about = "The same key and body replays the first answer; another body is a 422, one in flight a 409."
    schema = {"type": "string", "maxLength": idempotency.LONGEST_KEY}
    once = {"name": idempotency.IDEMPOTENCY_HEADER, "in": "header", "description": about, "schema": schema}
    return [once, actor]
