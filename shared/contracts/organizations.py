"""Bodies of the organizations of the partner API."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from shared.contracts.contact_data import AddressBody, MaybeEmail, MaybeLine, MaybePhone, TimeZone
from shared.contracts.wire import Day, Line, NamedLine, WireModel, Word
from shared.domain.paying.external_site import PaymentSite
from shared.domain.records.policy import PRICE_UNITS, MessageContacts, NoticePrices, Organization, PaymentSettings
from shared.domain.vocabulary.words import AccountStatus, BillType, CommunicationStatus, CreditUse, Processor


class ExternalSite(WireModel):
    """An external payment site, and the organization's own id there."""

    url_template: Annotated[Line, Field(max_length=500)]
    id: Annotated[MaybeLine, Field(max_length=100)] = ""
    webhook_secret_name: Annotated[MaybeLine, Field(max_length=512)] = Field(
        default="", description="In Secrets Manager, of what the site signs its events with; empty: it sends none."
    )

    @field_validator("url_template")
    @classmethod
    def _leads_to_one_host(cls, template: str) -> str:
        PaymentSite.read(template)
        return template


class StripeSecrets(WireModel):
    """The names, in Secrets Manager, of an organization's Stripe secrets."""

    secret_name: Annotated[NamedLine, Field(max_length=512)]
    webhook_secret_name: Annotated[NamedLine, Field(max_length=512)]
    prefill_email: bool = Field(
        default=False, description="Whether Stripe is told the payer's email address, so that its form has it already."
    )


class PaymentsBody(WireModel):
    """Through whom an organization takes payments."""

    processor: Word[Processor] = Processor.NONE
    external: ExternalSite | None = None
    stripe: StripeSecrets | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.processor is Processor.EXTERNAL and self.external is None:
            raise ValueError("the processor external needs the field external")
        if self.processor is Processor.STRIPE and self.stripe is None:
            raise ValueError("the processor stripe needs the field stripe")
        return self

    @classmethod
    def of(cls, payments: PaymentSettings) -> "PaymentsBody":
        """The settings as stored."""
        external = ExternalSite.model_construct(
            url_template=payments.external_url_template,
            id=payments.external_id,
            webhook_secret_name=payments.external_webhook_secret_name,
        )
        stripe = StripeSecrets.model_construct(
            secret_name=payments.stripe_secret_name,
            webhook_secret_name=payments.stripe_webhook_secret_name,
            prefill_email=payments.stripe_prefill_email,
        )
        return cls.model_construct(
            processor=payments.processor,
            external=external if payments.external_url_template else None,
            stripe=stripe if payments.stripe_secret_name else None,
        )

    def domain(self) -> PaymentSettings:
        """The settings for the rules."""
        return PaymentSettings(
            processor=self.processor,
            external_url_template=self.external.url_template if self.external else "",
            external_id=self.external.id if self.external else "",
            external_webhook_secret_name=self.external.webhook_secret_name if self.external else "",
            stripe_secret_name=self.stripe.secret_name if self.stripe else "",
            stripe_webhook_secret_name=self.stripe.webhook_secret_name if self.stripe else "",
            stripe_prefill_email=self.stripe.prefill_email if self.stripe else False,
        )


def _price(value: object) -> int:
    """A price in ten-thousandths of a dollar."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a price such as 0.0083")  # noqa: TRY004 - pydantic reports ValueError only
    text = f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) <= LONGEST_PRICE else str(value)
    if not _PRICE.fullmatch(text):
        raise ValueError("must be a price of less than 1000 dollars with at most four decimals, such as 0.0083")
    return int(Decimal(text).scaleb(4))


LONGEST_PRICE = 8
_PRICE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)

Price = Annotated[
    int,
    BeforeValidator(_price),
    PlainSerializer(lambda units: f"{units // PRICE_UNITS}.{units % PRICE_UNITS:04d}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d{1,4})?$", "examples": ["0.0083"]}),
]
"""What one message costs: a decimal string of dollars; ten-thousandths of a dollar inside."""


class NoticePricesBody(WireModel):
    """What one message of each channel costs the organization, in dollars, for its reports."""

    email: Price = 0
    sms: Price = 0
    print: Price = 0

    @classmethod
    def of(cls, prices: NoticePrices) -> "NoticePricesBody":
        """The prices as stored."""
        return cls.model_construct(email=prices.email, sms=prices.sms, print=prices.print)

    def domain(self) -> NoticePrices:
        """The prices for the rules."""
        return NoticePrices(email=self.email, sms=self.sms, print=self.print)


class TestContacts(WireModel):
    """Where all messages go in test mode."""

    __test__ = False

    email: MaybeEmail = ""
    mobile_phone: MaybePhone = ""
    address: AddressBody | None = None

    @classmethod
    def of(cls, contacts: MessageContacts) -> "TestContacts":
        """The contacts as stored."""
        return cls.model_construct(
            email=contacts.email,
            mobile_phone=contacts.mobile_phone,
            address=AddressBody.of(contacts.address) if contacts.address else None,
        )

    def domain(self) -> MessageContacts:
        """The contacts for the rules."""
        return MessageContacts(
            email=self.email,
            mobile_phone=self.mobile_phone,
            address=self.address.domain() if self.address else None,
        )


class OrganizationBody(WireModel):
    """What a partner says of an organization."""

    read_only = ("orgId", "practiceId", "clientId", "location", "createdOn")

    name: Annotated[NamedLine, Field(max_length=100)]
    short_name: Annotated[MaybeLine, Field(max_length=30, description="For texts; default: the name, shortened.")] = ""
    client_id: Annotated[NamedLine, Field(max_length=40, description="Yours; unique, case-sensitive, immutable.")]
    time_zone: TimeZone
    address: AddressBody
    remit_address: AddressBody | None = Field(default=None, description="Where payments by post go; default: address.")
    phone: MaybePhone = ""
    email: MaybeEmail = ""
    website: Annotated[MaybeLine, Field(max_length=200)] = ""
    statement_message: Annotated[MaybeLine, Field(max_length=1000)] = ""
    statement_message_es: Annotated[
        MaybeLine, Field(max_length=1000, description="In Spanish, for letters in Spanish; default: the other one.")
    ] = ""
    bill_type: Word[BillType] = BillType.EPISODIC
    communication_status: Word[CommunicationStatus] = CommunicationStatus.ENABLED
    account_status: Word[AccountStatus] = AccountStatus.ACTIVE
    payments: PaymentsBody = Field(default_factory=PaymentsBody)
    test_contacts: TestContacts | None = Field(default=None, description="Set: test mode, all messages go there.")
    link_days: Annotated[int, Field(ge=1, le=365, description="Days that a link inside a notice lives.")] = 30
    retention_days: Annotated[int, Field(ge=365, le=36500)] | None = Field(
        default=None,
        description="Days after the last thing that happened to an account for which its people's data is kept.",
    )
    amount_in_email: bool = False
    credit_use: Word[CreditUse] = Field(
        default=CreditUse.APPLY, description="Apply: what was overpaid pays other open bills; Keep: staff decide."
    )
    locations: Annotated[list[Annotated[NamedLine, Field(max_length=100)]], Field(max_length=200, default_factory=list)]

    notice_prices: NoticePricesBody = Field(default_factory=NoticePricesBody)

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationBody":
        """What is stored of it, in the form that a PATCH merges into."""
        return cls.model_construct(
            name=organization.name,
            short_name=organization.short_name,
            client_id=organization.client_id,
            time_zone=organization.time_zone,
            address=AddressBody.of(organization.address),
            remit_address=AddressBody.of(organization.remit_address) if organization.remit_address else None,
            phone=organization.phone,
            email=organization.email,
            website=organization.website,
            statement_message=organization.statement_message,
            statement_message_es=organization.statement_message_es,
            bill_type=organization.bill_type,
            communication_status=organization.communication_status,
            account_status=organization.account_status,
            payments=PaymentsBody.of(organization.payments),
            test_contacts=TestContacts.of(organization.test_contacts) if organization.test_contacts else None,
            link_days=organization.link_days,
            retention_days=organization.retention_days,
            amount_in_email=organization.amount_in_email,
            credit_use=organization.credit_use,
            locations=list(organization.locations),
            notice_prices=NoticePricesBody.of(organization.notice_prices),
        )

    def domain(self, before: Organization) -> Organization:
        """The organization `before` with all that this body says."""
        return replace(
            before,
            name=self.name,
            short_name=self.short_name,
            time_zone=self.time_zone,
            address=self.address.domain(),
            remit_address=self.remit_address.domain() if self.remit_address else None,
            phone=self.phone,
            email=self.email,
            website=self.website,
            statement_message=self.statement_message,
            statement_message_es=self.statement_message_es,
            bill_type=self.bill_type,
            communication_status=self.communication_status,
            account_status=self.account_status,
            payments=self.payments.domain(),
            test_contacts=self.test_contacts.domain() if self.test_contacts else None,
            link_days=self.link_days,
            retention_days=self.retention_days,
            amount_in_email=self.amount_in_email,
            credit_use=self.credit_use,
            locations=tuple(self.locations),
            notice_prices=self.notice_prices.domain(),
        )

    def new(self, *, org_id: str, practice_id: str, partner_id: str) -> Organization:
        """A new organization of a partner, as far as the body says it."""
        blank = Organization(
            org_id=org_id,
            practice_id=practice_id,
            partner_id=partner_id,
            client_id=self.client_id,
            name=self.name,
            short_name=self.short_name,
            time_zone=self.time_zone,
            address=self.address.domain(),
        )
        return self.domain(blank)


class OrganizationAnswer(OrganizationBody):
    """An organization."""

    org_id: str
    practice_id: str
    location: str
    created_on: Day | None = None

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationAnswer":
        """The organization as stored."""
        said = OrganizationBody.of(organization)
        return cls.model_construct(
            **dict(said),
            org_id=organization.org_id,
            practice_id=organization.practice_id,
            location=organization.location,
            created_on=organization.created_on,
        )


class OrganizationFound(WireModel):
    """An organization as a search shows it."""

    name: str
    client_id: str
    org_id: str
    practice_id: str
    location: str = Field(examples=["Springfield, IL"])
    communication_status: CommunicationStatus
    account_status: AccountStatus

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The organization as stored."""
        return cls(
            name=organization.name,
            client_id=organization.client_id,
            org_id=organization.org_id,
            practice_id=organization.practice_id,
            location=organization.location,
            communication_status=organization.communication_status,
            account_status=organization.account_status,
        )


class OrganizationsPage(WireModel):
    """A page of a search; `total` counts all that it finds."""

    items: list[OrganizationFound]
    next_cursor: str | None
    total: int
