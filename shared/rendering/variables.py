"""What a template may say: the facts of one message, before they are written in a language."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.vocabulary.money import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageVariables:
    """The facts of one message. What must not be said, or isn't known, is empty.

    link_expires_at: in the organization's time zone; link_expires_soon: it is given to the minute, not only the day.
    online: whether patients can pay online; where not, nothing may invite them to. amount_over: cents of a receipt that
    are more than was owed.
    amount_due: cents, None unless the organization lets emails name it. amount_paid: cents, of a receipt.
    payment_reference, paid_statements: what else a receipt says.
    test_recipient, test_account: set: a test message, and for whom it was (docs/rules.md#test-messages).
    """

    practice: str
    short_name: str
    first_name: str = ""
    phone: str = ""
    address_lines: tuple[str, ...] = ()
    link: str = ""
    link_expires_at: datetime | None = None
    link_expires_soon: bool = False
    unsubscribe_link: str = ""
    amount_due: Cents | None = None
    amount_paid: Cents | None = None
    amount_over: Cents | None = None
    paid_on: date | None = None
    payment_reference: str = ""
    paid_statements: tuple[str, ...] = ()
    online: bool = True
    staff_name: str = ""
    test_recipient: str = ""
    test_account: str = ""
