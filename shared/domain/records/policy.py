"""An organization and the settings that decide what is sent to whom, when and how."""

from dataclasses import dataclass, field, replace
from datetime import date, time
from zoneinfo import ZoneInfo

from shared.domain.records.statement import Address
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import (
    AccountStatus,
    BillAging,
    BillType,
    Channel,
    CommunicationStatus,
    CreditUse,
    DunningReset,
    NotificationType,
    Processor,
)

SYSTEM_DEFAULT_TEMPLATE = "<System Default>"

LONGEST_DEFAULT_SHORT_NAME = 20
"""Characters; texts bear the short name, and are short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a dunning configuration: at this age of the bill (days), this message, on these channels.

    days_from_due: set: the step counts from the due date instead, below zero before it, and is at an age only for an
    organization (cadences.py).
    """

    bill_age: int = 0
    days_from_due: int | None = None
    notification_type: NotificationType
    channels: tuple[Channel, ...]
    cycle: int = 1
    templates: dict[Channel, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningConfiguration:
    """A preset, or a partner's own. A step's level is its place in `steps`, from 1; ages rise from step to step.

    partner_id, version: whose own it is, and which version of it; empty and 0 for a preset.
    """

    configuration_id: str
    name: str
    dunning_cycle_days: int
    paper_cycle_days: int
    steps: tuple[Step, ...]
    partner_id: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRule:
    """When a partial payment resets dunning: at least an amount (cents), or at least a percentage of the balance."""

    minimum_amount: Cents | None = None
    minimum_percent: int | None = None
    dunning_reset: DunningReset


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWindow:
    """When a channel may be used: on business days, from opens to closes, in the organization's time zone."""

    opens: time = time(9, 45)
    closes: time = time(18, 0)
    business_days: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    federal_holidays: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningSettings:
    """All dunning settings of an organization, resolved (docs/rules.md#dunning-settings).

    Minimums are cents, and a balance must exceed them. `days_*` are whole days.
    quiet_from, quiet_until: no text outside of [quiet_until, quiet_from) in the recipient's own zones.
    opt_out_after_undeliverable: whether a guarantor is opted out of a channel where a message bounced permanently.
    drop_to_paper_after_undeliverable_days: after so many a reminder that bounced goes by letter; None: never.
    own_configuration: the partner's own configuration that configuration_id names, in the version in force; None: it
    names a preset. So whoever has the settings needs to read nothing more.
    """

    configuration_id: str = "standard-30"
    own_configuration: DunningConfiguration | None = None
    minimum_electronic: Cents = 0
    minimum_print: Cents = 0
    bill_aging: BillAging = BillAging.NATURAL
    communications_on_bill_update: bool = False
    enable_bill_reset: bool = False
    reset_on_fields_changing: bool = False
    reset_fields: tuple[str, ...] = ()
    drop_to_paper_on_opt_out: bool = False
    skip_paper_when_electronic_available: bool = False
    payment_rule: PaymentRule | None = None
    no_dunning_limit: bool = False
    days_until_due: int = 30
    days_to_ignore_after_transaction: int = 0
    send_window: SendWindow = SendWindow()
    quiet_until: time = time(9, 0)
    quiet_from: time = time(20, 0)
    opt_out_after_undeliverable: bool = False
    drop_to_paper_after_undeliverable_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """Through whom an organization takes payments: secrets by their names in Secrets Manager, never by value.

    stripe_prefill_email: whether Stripe is told the payer's address, so that its form has it already.
    """

    processor: Processor = Processor.NONE
    external_url_template: str = ""
    external_id: str = ""
    external_webhook_secret_name: str = ""
    stripe_secret_name: str = ""
    stripe_webhook_secret_name: str = ""
    stripe_prefill_email: bool = False

    @property
    def online(self) -> bool:
        """Whether patients can pay online: nothing may invite them to where they can't."""
        if self.processor is Processor.EXTERNAL:
            return bool(self.external_id) and self.external_url_template.startswith("https://")
        if self.processor is Processor.STRIPE:
            return bool(self.stripe_secret_name and self.stripe_webhook_secret_name)
        return self.processor is Processor.SANDBOX


PRICE_UNITS = 10_000
"""In a dollar: messages cost fractions of a cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePrices:
    """What one message of a channel costs the organization, in ten-thousandths of a dollar; 0: nothing that it told."""

    email: int = 0
    sms: int = 0
    print: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContacts:
    """Where all of an organization's messages go instead, in test mode."""

    email: str = ""
    mobile_phone: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization(StoredRecord):
    """A medical provider. `client_id` is the partner's name for it; org_id and practice_id are ours, immutable.

    partner_status: the standing of the partner that owns it, passed on from there.
    link_days: how long a payment link inside a notice lives. test_contacts: set: test mode.
    retention_days: for how long after the last thing that happened people's data is kept; None: without end.
    dunning: the settings in force. dunning_overrides: the names of those that the organization set itself, the others
    being inherited; None: whatever differs from the system's. dunning_from_partner: those inherited from its partner.
    own_templates: the places of the message templates that it wrote itself (own_template.py).
    """

    org_id: str
    practice_id: str
    partner_id: str
    client_id: str
    name: str
    short_name: str
    time_zone: str
    address: Address
    remit_address: Address | None = None
    phone: str = ""
    email: str = ""
    website: str = ""
    statement_message: str = ""
    statement_message_es: str = ""
    bill_type: BillType = BillType.EPISODIC
    communication_status: CommunicationStatus = CommunicationStatus.ENABLED
    account_status: AccountStatus = AccountStatus.ACTIVE
    partner_status: AccountStatus = AccountStatus.ACTIVE
    dunning: DunningSettings = DunningSettings()
    dunning_overrides: frozenset[str] | None = None
    dunning_from_partner: frozenset[str] = frozenset()
    payments: PaymentSettings = PaymentSettings()
    test_contacts: MessageContacts | None = None
    link_days: int = 30
    retention_days: int | None = None
    amount_in_email: bool = False
    credit_use: CreditUse = CreditUse.APPLY
    locations: tuple[str, ...] = ()
    own_templates: tuple[str, ...] = ()
    notice_prices: NoticePrices = NoticePrices()
    version: int = 0
    created_on: date | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar decides ages, due days and business hours."""
        return ZoneInfo(self.time_zone)

    @property
    def location(self) -> str:
        """Where it is, as lists show it: "City, ST"."""
        return f"{self.address.city}, {self.address.state}"


def with_short_name(organization: Organization) -> Organization:
    """The organization with a name for texts, made of its own where it has none."""
    return replace(organization, short_name=organization.short_name or _shortened(organization.name))


def _shortened(name: str) -> str:
    """A name short enough for a text: whole words where the first isn't too long by itself."""
    if len(name) <= LONGEST_DEFAULT_SHORT_NAME:
        return name
    cut = name[: LONGEST_DEFAULT_SHORT_NAME + 1]
    words = cut.rsplit(" ", 1)[0] if " " in cut else cut[:LONGEST_DEFAULT_SHORT_NAME]
    return words.rstrip(" ,&-")
