"""What an external payment site tells of money, and the catalogue of sites."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts.contact_data import MaybeLine
from shared.contracts.wire import Day, GivenMoney, NamedLine, WireModel
from shared.domain.paying.external_payments import SitePayment


def _not_zero(amount: int) -> int:
    if amount == 0:
        raise ValueError("must not be 0.00")
    return amount


class SitePaymentBody(WireModel):
    """A payment that a site took; negative for money that went back."""

    payment_id: Annotated[NamedLine, Field(max_length=100)]
    amount: Annotated[GivenMoney, AfterValidator(_not_zero)]
    received_on: Day
    method: Annotated[NamedLine, Field(max_length=40)] = "external"
    statement_id: Annotated[MaybeLine, Field(max_length=64)] = ""
    account_id: Annotated[MaybeLine, Field(max_length=100)] = ""

    def domain(self) -> SitePayment:
        """The payment for the rules."""
        return SitePayment(
            payment_id=self.payment_id,
            amount=self.amount,
            received_on=self.received_on,
            method=self.method,
            statement_id=self.statement_id,
            account_id=self.account_id,
        )


class SiteEvent(BaseModel):
    """An event by the Standard Webhooks specification; what isn't a payment is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["payment.received"]
    data: SitePaymentBody


class PaymentSiteAnswer(WireModel):
    """An external payment site as an organization may use it."""

    site: str
    name: str
    url_template: str = Field(description="With what its own address leaves open: {id}, {amount}, {accountId}.")
    id_label: str = Field(description="What the site calls the organization's own id there.")
    help: str


class PaymentSitesAnswer(WireModel):
    """The catalogue of external payment sites."""

    items: list[PaymentSiteAnswer]
