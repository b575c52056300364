"""The REST API in front of the functions: which route a request meets, and whether the answer is as described.

AWS hands paths and ids on as they were sent; `decoded`, the local gateway decodes both, and says so by a version.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no type information

from local.openapi.document import document
from local.openapi.routes import all_routes
from tests.worlds import template


@cache
def described() -> dict[str, Any]:
    """The document as the decorators give it."""
    return document(all_routes())


@cache
def _patterns(paths: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """How requests for each path look; a path that ends in `{proxy+}` takes what none of the others does."""
    ids = [(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)"), (r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)")]
    found = []
    for path in sorted(paths, key=lambda path: (path.endswith("+}"), path)):
        pattern = re.escape(path)
        for written, meant in ids:
            pattern = re.sub(written, meant, pattern)
        found.append((path, re.compile(pattern)))
    return found


def _matched(path: str, paths: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The one of the paths that a request is for, and its ids."""
    for resource, pattern in _patterns(paths):
        found = pattern.fullmatch(path)
        if found:
            return resource, found.groupdict()
    return path, {}


@cache
def _resources(method: str) -> tuple[str, ...]:
    """The paths that the deployed gateway hands on for a method."""
    functions = template.source()["Resources"].values()
    events = [event for function in functions for event in function.get("Properties", {}).get("Events", {}).values()]
    told = [event["Properties"] for event in events if event["Type"] == "Api"]
    return tuple(sorted({each["Path"] for each in told if each["Method"].upper() == method}))


def addressed(method: str, path: str, *, decoded: bool = False) -> dict[str, Any]:
    """Where a request goes, as its event says it."""
    path = unquote(path) if decoded else path
    resource, ids = _matched(path, _resources(method))
    return {"path": path, "resource": resource, "pathParameters": ids or None} | ({"version": "1.0"} if decoded else {})


def assert_described(method: str, path: str, answer: dict[str, Any]) -> None:
    """The document names the answer's status and media type, and its body is of the schema that stands there.

    No cache keeps what partners are answered.
    """
    resource, _ = _matched(path, tuple(sorted({route.path for route in all_routes()})))
    operation = described()["paths"].get(resource, {}).get("get" if method == "HEAD" else method.lower())
    assert not resource.startswith("/v1/") or answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]
    if operation is None:
        return
    where, status = f"{method} {resource}", str(int(answer["statusCode"]))
    assert status in operation["responses"], f"{where} answered {status}, which the document doesn't say"
    content = _resolved(operation["responses"][status]).get("content", {})
    kind = answer["multiValueHeaders"].get("Content-Type", [""])[0].partition(";")[0]
    if not content or method == "HEAD":
        assert not answer["body"], f"{where} answered {status} with a body, which the document doesn't say"
        return
    assert kind in content, f"{where} answered {status} as {kind}, which the document doesn't say"
    if kind.endswith("json"):
        errors = [
            error.message
            for error in _validator(resource, method, status, kind).iter_errors(json.loads(answer["body"]))
        ]
        assert errors == [], f"{where} answered {status} otherwise than the document says"


@cache
def _validator(resource: str, method: str, status: str, kind: str) -> Draft202012Validator:
    responses = described()["paths"][resource][method.lower()]["responses"]
    schema = _resolved(responses[status])["content"][kind]["schema"]
    return Draft202012Validator({**schema, "components": described()["components"]})


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in response:
        return response
    found: dict[str, Any] = described()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    return found
