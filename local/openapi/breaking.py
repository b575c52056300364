"""What breaks a partner's program when the API's document changes: each such change, by name.

A program breaks when what it sends is refused, or when what it reads isn't there. So bodies and parameters may only
take more than before, and answers may only say more. A word that is added to a vocabulary of answers breaks nobody:
whoever reads one has to expect that there will be more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.openapi.schemas import referred_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.domain.vocabulary.json_documents import Json

ANYTHING = "anything"
UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems")
LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems")
FORMS = ("pattern", "format")


def breaking_changes(before: Json, after: Json) -> list[str]:
    """What would break between two documents, in the order of the first one's routes; empty: nothing."""
    return list(dict.fromkeys(_Comparison(before, after).of_documents()))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The comparison of two documents. `seen` keeps schemas that refer to themselves from being compared for ever."""

    before: Json
    after: Json
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def of_documents(self) -> Iterator[str]:
        for path, operations in self.before["paths"].items():
            for method, old in operations.items():
                route = f"{method.upper()} {path}"
                new = self.after["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{route} is gone"
                else:
                    yield from self._of_operations(route, old, new)

    def _of_operations(self, route: str, old: Json, new: Json) -> Iterator[str]:
        if old.get("operationId") != new.get("operationId"):
            yield f"{route} has another operationId: {new.get('operationId')} instead of {old.get('operationId')}"
        if new.get("security") and new["security"] != old.get("security"):
            yield f"{route} needs another scope: {_scopes(new)} instead of {_scopes(old)}"
        yield from self._of_parameters(route, _parameters(old), _parameters(new))
        yield from self._of_bodies(route, old.get("requestBody"), new.get("requestBody"))
        yield from self._of_answers(route, old["responses"], new["responses"])

    def _of_parameters(self, route: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
        for name, parameter in new.items():
            if parameter.get("required") and not old.get(name, {}).get("required"):
                yield f"{route} now requires the parameter {name}"
        for name, parameter in old.items():
            if name in new:
                yield from self._of_schemas(f"{route}, {name}", parameter["schema"], new[name]["schema"], sent=True)
            else:
                yield f"{route} has lost the parameter {name}"

    def _of_bodies(self, route: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if new and new.get("required") and not (old and old.get("required")):
            yield f"{route} now requires a body"
        if old:
            yield from self._of_contents(f"{route}, body", old, new or {}, sent=True)

    def _of_answers(self, route: str, old: Json, new: Json) -> Iterator[str]:
        for status, answer in old.items():
            if status >= "4":
                continue
            if status not in new:
                good = ", ".join(status for status in new if status < "4")
                yield f"{route} has another status: {good} instead of {status}"
            else:
                there = _resolved(answer, self.before), _resolved(new[status], self.after)
                yield from self._of_contents(f"{route}, answer {status}", *there, sent=False)

    def _of_contents(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
        for kind, content in old.get("content", {}).items():
            there = new.get("content", {}).get(kind)
            if there is None:
                yield f"{where}: {kind} is gone"
            else:
                yield from self._of_schemas(where, content["schema"], there["schema"], sent=sent)

    def _of_schemas(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
        pair = (referred_name(old), referred_name(new), sent)
        if all(pair[:2]) and pair in self.seen:
            return
        self.seen.add(pair)
        was, now = dict(_kinds(old, self.before)), dict(_kinds(new, self.after))
        if sent and ANYTHING not in now:
            yield from (f"{where} no longer takes {kind}" for kind in was if kind not in now)
        if not sent and ANYTHING not in was:
            yield from (f"{where} may now be {kind}" for kind in now if kind not in was)
        for kind in was.keys() & now.keys():
            yield from _of_values(where, was[kind], now[kind], sent=sent)
            yield from self._of_parts(where, was[kind], now[kind], sent=sent)

    def _of_parts(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
        """What an object or a list is made of."""
        required = set(old.get("required", ())), set(new.get("required", ()))
        if sent:
            yield from (f"{where} now requires {member}" for member in sorted(required[1] - required[0]))
        else:
            there = required[0] & new.get("properties", {}).keys()
            yield from (f"{where} may now lack {member}" for member in sorted(there - required[1]))
        for member, about in old.get("properties", {}).items():
            if member in new.get("properties", {}):
                yield from self._of_schemas(f"{where}, {member}", about, new["properties"][member], sent=sent)
            else:
                yield f"{where} has lost the member {member}"
        for part, name in (("items", "each"), ("additionalProperties", "any member")):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self._of_schemas(f"{where}, {name}", old[part], new[part], sent=sent)


def _of_values(where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
    """What a value may be."""
    was, now = _words(old), _words(new)
    yield from (f"{where} has lost the word {word}" for word in was if now and word not in now)
    if sent and now and not was:
        yield f"{where} now takes only {', '.join(now)}"
    if not sent and was and not now:
        yield f"{where} may now be any word"
    for form in FORMS:
        if old.get(form) != new.get(form) and (form in new or not sent):
            yield f"{where} has another {form}: {new.get(form)} instead of {old.get(form)}"
    if sent:
        yield from (
            f"{where} has a tighter {limit}: {new[limit]}" for limit in UPPER + LOWER if _tighter(limit, old, new)
        )
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{where} now refuses members that it doesn't know"


def _tighter(limit: str, old: Json, new: Json) -> bool:
    if limit not in new or old.get(limit) == new[limit]:
        return False
    return limit not in old or (new[limit] < old[limit]) == (limit in UPPER)


def _words(schema: Json) -> list[str]:
    return [str(word) for word in schema.get("enum", [schema["const"]] if "const" in schema else [])]


def _kinds(schema: Json, document: Json) -> Iterator[tuple[str, Json]]:
    """What a value of a schema may be: each type by its name, an object by its schema's where there is a choice."""
    found = _resolved(schema, document)
    choices = found.get("anyOf") or found.get("oneOf")
    if choices:
        for choice in choices:
            for kind, about in _kinds(choice, document):
                name = referred_name(choice)
                yield (f"object {name}" if kind == "object" and name and len(choices) > 2 else kind), about  # noqa: PLR2004 - itself or null is no choice
        return
    types = found.get("type", "string" if _words(found) else ANYTHING)
    for kind in types if isinstance(types, list) else [types]:
        yield kind, found


def _resolved(part: Json, document: Json) -> Json:
    """What a part refers to, or itself."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _parameters(operation: Json) -> dict[str, Json]:
    return {parameter["name"]: parameter for parameter in operation.get("parameters", [])}


def _scopes(operation: Json) -> str:
    named = [scope for scheme in operation.get("security", []) for scopes in scheme.values() for scope in scopes]
    return ", ".join(named) or "none"
