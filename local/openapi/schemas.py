"""The schemas of the document: of what the models read and write, and of merge patches of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    NoDefault,
    models_json_schema,
)
from pydantic_core import SchemaSerializer, core_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.domain.vocabulary.json_documents import Json
    from shared.http.routes import Route

type Wanted = tuple[type[BaseModel], JsonSchemaMode]

REFERENCE = "#/components/schemas/{model}"


class _Schemas(GenerateJsonSchema):
    """JSON Schema without titles that only repeat names, and with defaults as they are written on the wire."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Patterns in the dialect that every reader of JSON Schema knows."""
        made = super().str_schema(schema)
        if "pattern" in made:
            made["pattern"] = made["pattern"].replace(r"\p{Cc}", r"\u0000-\u001f\u007f-\u009f")
        return made

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:  # noqa: ANN401 - pydantic's own signature
        default = super().get_default_value(schema)
        if default is None or default is NoDefault or self.mode == "serialization":
            return default
        return SchemaSerializer(schema["schema"]).to_python(default, mode="json")

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's own signature
        return False


class Schemas:
    """The schemas of some routes' bodies and answers, and of the models that they are made of."""

    def __init__(self, routes: Iterable[Route], *others: Wanted) -> None:
        """Make them, and those of `others`."""
        wanted = list(others)
        patched: dict[type[BaseModel], None] = {}
        for route in routes:
            wanted += [(route.body, "validation")] if route.body else []
            wanted += [(route.answer, "serialization")] if route.answer else []
            if route.body and route.merge_patch:
                patched[route.body] = None
        self._found, made = models_json_schema(
            list(dict.fromkeys(wanted)), ref_template=REFERENCE, schema_generator=_Schemas
        )
        definitions: Json = made["$defs"]
        patches: Json = {}
        for body in patched:
            patches |= _patches(definitions, referred_name(self._found[body, "validation"]), read_only_of(body))
        definitions |= patches
        used = referred([*definitions.values(), *self._found.values()]) | set(patches)
        self.definitions = {name: schema for name, schema in sorted(definitions.items()) if name in used}

    def of_body(self, route: Route, body: type[BaseModel]) -> Json:
        """The schema of what a route's body may be."""
        schema = self._found[body, "validation"]
        return reference(_patch_of(referred_name(schema))) if route.merge_patch else schema

    def of_answer(self, answer: type[BaseModel]) -> Json:
        """The schema of what a route answers."""
        return self._found[answer, "serialization"]


def reference(name: str) -> Json:
    """Where another schema stands."""
    return {"$ref": REFERENCE.format(model=name)}


def referred_name(schema: Mapping[str, Any]) -> str:
    """The name of the schema that one refers to; "": it is none that refers."""
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]


def referred(schema: Any) -> set[str]:  # noqa: ANN401 - any part of a schema
    """The names of all schemas that a part refers to."""
    if isinstance(schema, list):
        return set[str]().union(*(referred(part) for part in schema))
    if not isinstance(schema, dict):
        return set()
    own = {referred_name(schema)} if isinstance(schema.get("$ref"), str) else set[str]()
    return own.union(*(referred(part) for part in schema.values()))


def read_only_of(body: type[BaseModel]) -> tuple[str, ...]:
    """The members that a merge patch of a body may repeat, but not change."""
    found: tuple[str, ...] = getattr(body, "read_only", ())
    return found


def _patches(definitions: Json, name: str, read_only: tuple[str, ...] = ()) -> Json:
    """The merge patch of a schema: every member may be missing, or null to remove it, down to the last object."""
    made: Json = {}
    inner = {found for found in referred(definitions[name]) if definitions[found].get("type") == "object"}
    for found in sorted(inner):
        made |= _patches(definitions, found)
    schema = _pointing_at_patches(definitions[name], inner)
    members = {
        member: about if {"type": "null"} in about.get("anyOf", []) else {"anyOf": [about, {"type": "null"}]}
        for member, about in schema["properties"].items()
        if member not in read_only
    }
    description = f"A merge patch (RFC 7396): {schema['description']}"
    if read_only:
        description += f" Read-only members may be repeated as they were read: {', '.join(read_only)}."
    made[_patch_of(name)] = {"type": "object", "description": description, "properties": members}
    return made


def _patch_of(name: str) -> str:
    return f"{name.removesuffix('-Input').removesuffix('Body')}Patch"


def _pointing_at_patches(schema: Any, names: set[str]) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return [_pointing_at_patches(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if referred_name(schema) in names:
        return reference(_patch_of(referred_name(schema)))
    return {name: _pointing_at_patches(part, names) for name, part in schema.items() if name != "default"}
