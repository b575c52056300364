"""The API's document, for programs and for people. Both are public: they hold nothing of any partner's.

`make openapi` writes openapi.json beside this file, and docs/openapi.json, from the routes' decorators.
"""

from functools import cache
from http import HTTPStatus
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from functions.manage.frame import route
from shared.http.api import Answer

DOCUMENT = Path(__file__).with_name("openapi.json")
CACHED = {"Cache-Control": "public, max-age=300"}


@route("GET", "/openapi.json", operation="readDocument", summary="This document", tag="Documentation")
def read_document() -> Answer:
    """The OpenAPI 3.1 document."""
    return Response(
        status_code=HTTPStatus.OK, content_type="application/json", body=document_text(), headers=dict(CACHED)
    )


@route(
    "GET",
    "/docs",
    operation="readDocumentation",
    summary="This document for people",
    tag="Documentation",
    media_type="text/html",
)
def read_page() -> Answer:
    """The document as a page."""
    from functions.manage.docs_page import POLICY, page  # noqa: PLC0415 - few requests are for it

    headers = {**CACHED, "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(
        status_code=HTTPStatus.OK, content_type="text/html; charset=utf-8", body=page(document_text()), headers=headers
    )


@cache
def document_text() -> str:
    """The document as it is stored."""
    return DOCUMENT.read_text("utf-8")
