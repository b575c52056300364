"""What one printed statement shows. Amounts are integer cents."""

import datetime as dt
from dataclasses import dataclass, field

from shared.domain.paying.account_ledger import PostingKind
from shared.domain.paying.link_access import AccessQuestion
from shared.domain.vocabulary.words import Language, NotificationType


@dataclass(frozen=True, slots=True)
class WindowGeometry:
    """Where the envelope's windows are, in inches from the top left corner of the sheet.

    The defaults are for a #10 double-window envelope. `coupon_height` is what is below the perforation line.
    """

    return_left: float = 0.5
    return_top: float = 0.5
    return_width: float = 3.5
    return_height: float = 0.792
    recipient_left: float = 0.5
    recipient_top: float = 2.042
    recipient_width: float = 3.5
    recipient_height: float = 0.875
    coupon_height: float = 1.6


@dataclass(frozen=True, slots=True)
class LetterPractice:
    """Who bills. The logo is PNG, JPEG, GIF or SVG; without `remit_to_lines` payments go to the address."""

    name: str
    address_lines: tuple[str, ...]
    phone: str = ""
    logo: bytes | None = None
    remit_to_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementCharge:
    """One line of a visit, in cents."""

    date: dt.date
    description: str
    billed: int
    insurance_paid: int
    adjustment: int
    patient_paid: int
    balance: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class StatementVisit:
    """One visit and its charges. patient: whose it is, on the first of each patient's where a bill has several."""

    date: dt.date | None
    provider: str = ""
    location: str = ""
    charges: tuple[StatementCharge, ...] = ()
    patient: str = ""


@dataclass(frozen=True, slots=True)
class StatementPosting:
    """Money that was posted on a bill since its statement came: negative for what was taken back.

    kind: as in the account's ledger. method: the way it came, in the words of whoever posted it.
    """

    date: dt.date
    kind: PostingKind
    method: str
    amount: int


@dataclass(frozen=True, slots=True)
class StatementBill:
    """One bill of the account; a bill without visits is shown by its sums alone."""

    statement_id: str
    patient_name: str
    total_billed: int
    balance: int
    visits: tuple[StatementVisit, ...] = ()
    postings: tuple[StatementPosting, ...] = ()


@dataclass(frozen=True, slots=True)
class AgingBuckets:
    """The balance by age in days, in cents."""

    current: int = 0
    days_31_60: int = 0
    days_61_90: int = 0
    days_91_120: int = 0
    over_120: int = 0


@dataclass(frozen=True, slots=True)
class StatementPage:
    """All that one printed statement shows. Amounts in cents; `credit` is a positive amount in the patient's favour.

    `amount_due` may be zero or negative: then no payment is asked for, and the ways to pay and the slip are left out.
    Where patients can't pay `online`, nothing invites them to. `pay_url` goes into the QR code, `pay_page_url` is
    printed to be typed, together with `bill_code`. `asked`: what the page asks for before it shows anything.
    """

    language: Language
    practice: LetterPractice
    recipient_name: str
    recipient_address_lines: tuple[str, ...]
    account_number: str
    statement_date: dt.date
    due_date: dt.date
    amount_due: int
    notification_type: NotificationType
    message: str
    bills: tuple[StatementBill, ...]
    pay_url: str
    pay_page_url: str
    bill_code: str
    asked: AccessQuestion = AccessQuestion.BIRTH_DATE
    organization_message: str = ""
    aging: AgingBuckets | None = None
    credit: int = 0
    online: bool = True
    geometry: WindowGeometry = field(default_factory=WindowGeometry)
