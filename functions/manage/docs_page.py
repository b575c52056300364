"""The API's document as a page for people: plain HTML, without script and without anything from elsewhere."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from html import escape

from shared.domain.vocabulary.json_documents import Json

DOCS_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin-top: 3rem; border-bottom: 1px solid }
h3 { margin-top: 2rem; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #767676; padding: .3rem .5rem; text-align: left; vertical-align: top }
a:focus-visible { outline: 3px solid }
"""
STYLE_HASH = b64encode(hashlib.sha256(DOCS_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of the page: this one style sheet, and nothing else."""


@cache
def page(document: str) -> str:
    """The whole page of an OpenAPI document."""
    api: Json = json.loads(document)
    operations: dict[str, list[str]] = {tag["name"]: [] for tag in api["tags"]}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            operations[operation["tags"][0]].append(_operation(method, path, operation, api["components"]["responses"]))
    contents = "".join(f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in [*operations, "Schemas"])
    sections = "".join(_section(tag, "".join(parts)) for tag, parts in operations.items())
    schemas = "".join(_schema(name, schema) for name, schema in sorted(api["components"]["schemas"].items()))
    sections += _section("Schemas", schemas)
    info = api["info"]
    key = api["components"]["securitySchemes"]["partnerKey"]["description"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{DOCS_STYLE}</style></head><body><main>"
        f"<h1>{escape(info['title'])} API</h1><p>{escape(info['description'])}</p><p>{_text(key)}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>{sections}</main></body></html>'
    )


def _section(title: str, content: str) -> str:
    anchor = _anchor(title)
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{escape(title)}</h2>{content}</section>'


def _operation(method: str, path: str, operation: Json, shared: Json) -> str:
    parts = [
        f'<article aria-labelledby="{operation["operationId"]}">',
        f'<h3 id="{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></h3>',
        f"<p>{escape(operation['summary'])}. {_text(operation.get('description', ''))}</p>",
    ]
    if operation.get("parameters"):
        rows = [
            (
                f"<code>{escape(each['name'])}</code>",
                each["in"],
                _type(each["schema"]),
                _text(each.get("description", "")),
            )
            for each in operation["parameters"]
        ]
        parts.append(_table("Parameters", ("Name", "In", "Type", "Meaning"), rows))
    body = operation.get("requestBody")
    if body:
        parts.append(f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>")
    answers = [(status, *_answer(answer, shared)) for status, answer in sorted(operation["responses"].items())]
    parts.append(_table("Answers", ("Status", "Meaning", "Body"), answers))
    return "".join([*parts, "</article>"])


def _answer(answer: Json, shared: Json) -> tuple[str, str]:
    """What an answer means, and its body; `shared` are the answers that several operations have."""
    resolved = shared[answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer
    bodies = [_type(content["schema"]) for content in resolved.get("content", {}).values()]
    return escape(resolved["description"]), ", ".join(bodies)


def _schema(name: str, schema: Json) -> str:
    heading = f'<h3 id="{_anchor(name)}">{escape(name)}</h3><p>{_text(schema.get("description", ""))}</p>'
    if "properties" not in schema:
        return f"{heading}<p>{_type(schema)}</p>"
    required = set(schema.get("required", ()))
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _type(about),
            "yes" if field in required else "no",
            _text(about.get("description", "")),
        )
        for field, about in schema["properties"].items()
    ]
    return heading + _table(f"Members of {name}", ("Member", "Type", "Required", "Meaning"), rows)


def _type(schema: Json) -> str:
    """What a value is, in words, with links to the schemas that it is made of."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#{_anchor(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    kinds = schema.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return escape(f"{words} ({schema['format']})" if "format" in schema else words)


def _table(caption: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"))


def _text(text: str) -> str:
    """Words in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
