"""The catalogue of external payment sites."""

import tomllib
from pathlib import Path

from functions.manage.frame import route
from shared.contracts.site_payments import PaymentSiteAnswer, PaymentSitesAnswer
from shared.domain.records.partner import Scope
from shared.http.api import Answer, json_answer

CATALOGUE = Path(__file__).with_name("payment_sites.toml")


@route(
    "GET",
    "/v1/payment-sites",
    operation="listPaymentSites",
    summary="List the external payment sites that an organization may send its patients to",
    tag="Payments",
    scope=Scope.READ,
    answer=PaymentSitesAnswer,
)
def list_sites() -> Answer:
    """The catalogue, as it stands in a file of its own."""
    found = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["site"]
    return json_answer(PaymentSitesAnswer(items=[PaymentSiteAnswer.model_validate(each) for each in found]))
