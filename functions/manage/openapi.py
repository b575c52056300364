"""The API's OpenAPI 3.1 document, made from the table of routes and the models of their bodies."""

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from functions.manage.route_table import ROUTES, Route
from shared.http import idempotency, problems
from shared.http.cursors import DEFAULT_LIMIT, MOST_ITEMS

type Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"
VERSION = "1.0.0"
INTRODUCTION = (
    "Patient billing: send statements in, and the right notice goes out, when and how the organization's settings say."
    " Money is written as decimal strings, dates as ISO 8601, instants as RFC 3339 in UTC. Errors are problem details"
    " (RFC 9457)."
)
KEY = (
    "`Authorization: Bearer dun_<live|test>_<keyId>_<secret>`. A key belongs to one partner and has scopes; what is"
    " somebody else's answers 404, a missing scope 403."
)
ALWAYS = (400, 401, 403, 500)
"""What every partner endpoint may answer."""


class _Schemas(GenerateJsonSchema):
    """JSON Schema without titles that only repeat names."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Patterns in the dialect that every reader of JSON Schema knows."""
        made = super().str_schema(schema)
        if "pattern" in made:
            made["pattern"] = made["pattern"].replace(r"\p{Cc}", r"\u0000-\u001f\u007f-\u009f")
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's own signature
        return False


@cache
def document() -> Json:
    """The whole document."""
    schemas, definitions = _schemas()
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dunlin", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": ".", "description": "Where this document was read."}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in ROUTES)],
        "security": [{"partnerKey": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"partnerKey": {"type": "http", "scheme": "bearer", "description": KEY}},
            "schemas": definitions,
            "responses": {_problem_name(status): _problem(status) for status in _statuses()},
        },
    }


def _schemas() -> tuple[dict[tuple[Any, JsonSchemaMode], Json], Json]:
    wanted: list[tuple[Any, JsonSchemaMode]] = [(problems.Problem, "serialization")]
    for route in ROUTES:
        wanted += [(route.body, "validation")] if route.body else []
        wanted += [(route.answer, "serialization")] if route.answer else []
    found, definitions = models_json_schema(
        list(dict.fromkeys(wanted)), ref_template=REFERENCE, schema_generator=_Schemas
    )
    bodies = [found[route.body, "validation"] for route in ROUTES if route.body and route.merge_patch]
    components = definitions["$defs"]
    components |= _patches(components, {body["$ref"].rsplit("/", 1)[1] for body in bodies})
    used = _referred(list(components.values())) | _referred(list(found.values()))
    return dict(found), {name: schema for name, schema in components.items() if name in used | _patch_names(bodies)}


def _operation(route: Route, schemas: dict[tuple[Any, JsonSchemaMode], Json]) -> Json:
    operation: Json = {"operationId": route.operation, "summary": route.summary, "tags": [route.tag]}
    if route.scope:
        operation["description"] = f"Scope: `{route.scope}`."
    if not route.partner:
        operation["security"] = []
    parameters = [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        kind = "application/merge-patch+json" if route.merge_patch else "application/json"
        schema = schemas[route.body, "validation"]
        if route.merge_patch:
            schema = {"$ref": REFERENCE.format(model=_patch_of(schema["$ref"].rsplit("/", 1)[1]))}
        kinds = {"application/json", kind}
        needed = route.method == "patch" or any(field.is_required() for field in route.body.model_fields.values())
        operation["requestBody"] = {"required": needed, "content": {name: {"schema": schema} for name in sorted(kinds)}}
    operation["responses"] = _responses(route, schemas)
    return operation


def _patches(definitions: Json, names: set[str]) -> Json:
    """The merge patch of each schema: every member may be missing, or null to remove it, down to the last object."""
    made: Json = {}
    for name in sorted(names):
        inner = {found for found in _referred(definitions[name]) if definitions[found].get("type") == "object"}
        made |= _patches(definitions, inner)
        schema = _pointing_at_patches(definitions[name], inner)
        members = {
            member: about if {"type": "null"} in about.get("anyOf", []) else {"anyOf": [about, {"type": "null"}]}
            for member, about in schema["properties"].items()
        }
        made[_patch_of(name)] = {
            "type": "object",
            "description": f"A merge patch (RFC 7396): {schema['description']}",
            "properties": members,
        }
    return made


def _patch_names(bodies: list[Json]) -> set[str]:
    return {_patch_of(body["$ref"].rsplit("/", 1)[1]) for body in bodies}


def _patch_of(name: str) -> str:
    return f"{name.removesuffix('-Input').removesuffix('Body')}Patch"


def _referred(schema: Any) -> set[str]:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return set[str]().union(*(_referred(part) for part in schema))
    if not isinstance(schema, dict):
        return set()
    name = {schema["$ref"].rsplit("/", 1)[1]} if "$ref" in schema else set[str]()
    return name.union(*(_referred(part) for part in schema.values()))


def _pointing_at_patches(schema: Any, names: set[str]) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return [_pointing_at_patches(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref", "").rsplit("/", 1)[-1] in names:
        return {"$ref": REFERENCE.format(model=_patch_of(schema["$ref"].rsplit("/", 1)[1]))}
    return {name: _pointing_at_patches(part, names) for name, part in schema.items() if name != "default"}


def _responses(route: Route, schemas: dict[tuple[Any, JsonSchemaMode], Json]) -> Json:
    good: Json = {"description": HTTPStatus(route.status).phrase}
    if route.answer:
        good["content"] = {"application/json": {"schema": schemas[route.answer, "serialization"]}}
    elif route.html:
        good["content"] = {"text/html": {"schema": {"type": "string"}}}
    elif route.path == "/openapi.json":
        good["content"] = {"application/json": {"schema": {"type": "object"}}}
    answers = {str(route.status): good}
    if route.operation == "postPayment":
        answers["200"] = {**good, "description": "This transactionId was posted before; nothing was done."}
    for status in _problems(route):
        answers[str(status)] = {"$ref": f"#/components/responses/{_problem_name(status)}"}
    return answers


def _problems(route: Route) -> list[int]:
    if not route.partner:
        return [404] if "{" in route.path else []
    found = {*ALWAYS, *route.problems}
    found |= {404} if "{" in route.path else set()
    found |= {413, 422} if route.body else set()
    found |= {409, 422} if route.method == "post" else set()
    return sorted(found)


def _statuses() -> list[int]:
    return sorted({status for route in ROUTES for status in _problems(route)})


def _problem_name(status: int) -> str:
    return "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", HTTPStatus(status).phrase))


def _problem(status: int) -> Json:
    reference = {"$ref": REFERENCE.format(model=problems.Problem.__name__)}
    return {"description": HTTPStatus(status).phrase, "content": {problems.MEDIA_TYPE: {"schema": reference}}}


def _path_parameters(route: Route) -> list[Json]:
    names = re.findall(r"\{(\w+)\}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[Json]:
    given: list[Json] = []
    for query in route.query:
        schema: Json = {"type": "string"} | ({"enum": list(query.words)} if query.words else {})
        given.append({"name": query.name, "in": "query", "description": query.description, "schema": schema})
    if route.paged:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": DEFAULT_LIMIT}
        about = "The nextCursor of the page before."
        given.append({"name": "limit", "in": "query", "description": "Items on a page.", "schema": limit})
        given.append({"name": "cursor", "in": "query", "description": about, "schema": {"type": "string"}})
    return given


def _header_parameters(route: Route) -> list[Json]:
    if route.method != "post" or not route.partner:
        return []
    about = "The same key and body replays the first answer; another body is a 422, one in flight a 409."
    schema = {"type": "string", "maxLength": idempotency.LONGEST_KEY}
    return [{"name": idempotency.HEADER, "in": "header", "description": about, "schema": schema}]
