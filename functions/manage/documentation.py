"""The API's document, for programs and for people. Both are public: they hold nothing of any partner's."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.manage.frame import api
from shared.http.api import Answer, json_answer


@api.routes.get("/openapi.json")
def read_document() -> Answer:
    """The OpenAPI 3.1 document."""
    from functions.manage.openapi import document  # noqa: PLC0415 - slow to import, and few requests are for it

    return json_answer(document(), headers={"Cache-Control": "public, max-age=300"})


@api.routes.get("/docs")
def read_page() -> Answer:
    """The document as a page."""
    from functions.manage.docs_page import POLICY, page  # noqa: PLC0415 - the same

    headers = {
        "Cache-Control": "public, max-age=300",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(
        status_code=HTTPStatus.OK, content_type="text/html; charset=utf-8", body=page(), headers=dict(headers)
    )
