"""Whether messages go at the moment, for a banner: an operator stops the whole stack, and all of its organizations."""

from functions.manage.frame import route
from functions.manage.ports import ports
from shared.contracts.stops import SendingAnswer
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/organizations/{orgId}/sending",
    operation="readSending",
    summary="Read which channels are stopped for everybody, so that nothing goes until they go on",
    tag="Notifications",
    scope=Scope.READ,
    answer=SendingAnswer,
)
def read(organization: Organization) -> Answer:  # noqa: ARG001 - a stop is the whole stack's; who asks is checked by it
    """Which channels are stopped."""
    return json_answer(SendingAnswer.of(ports().stops.all()))
