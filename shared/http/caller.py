"""Who calls: what the authorizer found out about the key of a request."""

from dataclasses import dataclass
from http import HTTPStatus

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from shared.domain.records.partner import Scope
from shared.http.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Caller:
    """The partner that a request comes from, and what its key may do."""

    partner_id: str
    key_id: str
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Raise a 403 problem unless the key has the scope."""
        if scope not in self.scopes:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This needs a key with the scope {scope}.")


def caller_of(event: APIGatewayProxyEvent) -> Caller:
    """The caller that functions/authorize put into the request's context."""
    context = event.request_context.authorizer
    return Caller(
        partner_id=str(context["partnerId"]),
        key_id=str(context["keyId"]),
        scopes=frozenset(str(context["scopes"]).split(" ")),
    )
