"""The gateway's proxy events, as the routers of the functions take them."""

from typing import Any
from urllib.parse import quote, unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext


def resolve(router: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The answer to a request. HEAD is answered as GET would be, without the body."""
    asked = {**event, "path": canonical_path(event)}
    if event["httpMethod"] != "HEAD":
        return router.resolve(asked, context)
    return {**router.resolve({**asked, "httpMethod": "GET"}, context), "body": "", "isBase64Encoded": False}


def canonical_path(event: dict[str, Any]) -> str:
    """The path of a request, its ids percent-encoded, whether or not the gateway decoded them.

    The router knows only some of the signs that an id may have; who gets the ids decodes them. A resource may end in
    `{proxy+}`, which stands for the rest of a path.
    """
    path = str(event["resource"])
    for name, value in (event.get("pathParameters") or {}).items():
        rest = "/".join(_encoded(part) for part in value.split("/"))
        path = path.replace(f"{{{name}+}}", rest).replace(f"{{{name}}}", _encoded(value))
    return path


def _encoded(value: str) -> str:
    return quote(unquote(value), safe="")
