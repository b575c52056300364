"""A statement: one document of a partner's that creates or updates a bill (docs/rules.md#statement-and-bill)."""

from dataclasses import dataclass
from datetime import date

from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import AddressStatus, Language

PATIENT_KEY = "patient:"
"""Before a patient's `accountId` in an account's key: practices number guarantors and patients apart, often alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A US mailing address."""

    line1: str
    line2: str = ""
    city: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of a visit. Amounts in cents."""

    date: date
    code: str = ""
    description: str
    billed: Cents
    insurance_paid: Cents
    adjustment: Cents
    patient_paid: Cents
    balance: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who rendered the service of a visit."""

    provider_id: str = ""
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit of a patient with its charges."""

    visit_id: str = ""
    date: date
    provider: Provider | None = None
    location_name: str = ""
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The patient whose care the bill is for. `account_id` is the provider's own number for the patient account."""

    account_id: str
    first_name: str
    last_name: str
    date_of_birth: date | None = None
    email: str = ""
    mobile_phone: str = ""
    visits: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantor:
    """Who owes the money. Contact data that couldn't be used is empty (docs/rules.md#unusable-contact-data)."""

    guarantor_id: str = ""
    first_name: str
    last_name: str
    date_of_birth: date | None = None
    email: str = ""
    mobile_phone: str = ""
    home_phone: str = ""
    language: Language = Language.ENGLISH
    address: Address | None = None
    address_status: AddressStatus | None = None

    @property
    def name(self) -> str:
        """First and last name, as letters are addressed."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class BillTo:
    """A third party who pays."""

    name: str
    email: str = ""
    mobile_phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOuts:
    """The channels that a guarantor is opted out of."""

    email: bool = False
    sms: bool = False
    print: bool = False


NOTHING_OPTED_OUT = OptOuts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A valid statement. `opt_outs` is None where the document says nothing about them.

    account_credit: what the practice's own book says of the account's credit (cents); None: nothing.
    """

    statement_id: str
    client_id: str
    statement_date: date | None = None
    total_billed: Cents
    total_balance: Cents
    message: str = ""
    message_es: str = ""
    dunning_status: str = ""
    reset_bill: bool = False
    opt_outs: OptOuts | None = None
    location_name: str = ""
    account_credit: Cents | None = None
    guarantor: Guarantor
    bill_to: BillTo | None = None
    patients: tuple[Patient, ...]

    @property
    def account_id(self) -> str:
        """The key of the account that this bill belongs to (docs/rules.md#account-key)."""
        return self.guarantor.guarantor_id or f"{PATIENT_KEY}{self.patients[0].account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerTransaction:
    """Money that reached the practice by another way. Positive lowers the balance, negative raises it."""

    transaction_id: str = ""
    transaction_date: date
    amount: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentUpdate:
    """A statement of the `payment-updates` schema: transactions only.

    origin: names its file, by the file's bytes, and its place in it; by that alone a transaction without an id is
    known again.
    """

    statement_id: str
    client_id: str
    transactions: tuple[PartnerTransaction, ...]
    origin: str = ""
