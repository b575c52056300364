"""The partner that calls."""

from functions.manage.frame import api, route
from functions.manage.ports import ports
from shared.contracts.partners import PartnerAnswer
from shared.domain.records.partner import Scope
from shared.http.api import Answer, json_answer
from shared.http.problems import not_found


@route(
    "GET",
    "/v1/partner",
    operation="readPartner",
    summary="Read the partner that the key belongs to; where it isn't Active none of its organizations sends",
    tag="Organizations",
    scope=Scope.READ,
    answer=PartnerAnswer,
    problems=(404,),
)
def read() -> Answer:
    """The caller's own partner."""
    partner = ports().organizations.partner(api.caller.partner_id)
    if partner is None:
        raise not_found("partner")
    return json_answer(PartnerAnswer.of(partner))
