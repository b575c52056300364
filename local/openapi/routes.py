"""All routes of the functions, as their decorators say them."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import functions.ingest.handler
import functions.manage.handler
import functions.payment_link.handler
from functions.ingest import frame as ingest
from functions.manage import frame as manage
from functions.payment_link import frame as payment_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.http.routes import Route

HANDLERS = (functions.ingest.handler, functions.manage.handler, functions.payment_link.handler)
"""To import them is what makes their routes known."""

type Declared = list[tuple[Route, Callable[..., Any]]]


@cache
def declared() -> dict[str, Declared]:
    """By each function's name in template.yaml: its routes, with what answers them."""
    return {
        "Ingest": [*ingest.api.declared],
        "Manage": [*manage.api.declared],
        "PaymentLink": [*payment_link.site.declared, *payment_link.api.declared],
    }


def all_routes() -> list[Route]:
    """The routes of all functions."""
    return [route for route, _ in chain.from_iterable(declared().values())]
