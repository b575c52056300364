"""The closed vocabularies of the product: one word per thing, the same in code, API, table and screens."""

from enum import StrEnum


class Channel(StrEnum):
    """How a notice is sent."""

    EMAIL = "email"
    SMS = "sms"
    PRINT = "print"

    @property
    def electronic(self) -> bool:
        """Whether the channel needs no paper."""
        return self is not Channel.PRINT


class NotificationType(StrEnum):
    """What a notice is for. The first four are the steps of dunning; the others are sent on their own occasion."""

    INITIAL = "Initial"
    DUE = "Due"
    PAST_DUE = "PastDue"
    FINAL = "Final"
    ON_DEMAND = "OnDemand"
    PAYMENT_LINK = "PaymentLink"
    RECEIPT = "Receipt"

    @property
    def dunning(self) -> bool:
        """Whether notices of this type are planned by the dunning rules."""
        return self in DUNNING_TYPES


DUNNING_TYPES = frozenset(
    {NotificationType.INITIAL, NotificationType.DUE, NotificationType.PAST_DUE, NotificationType.FINAL}
)


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    # docs/rules.md#notice-status
    SCHEDULED = "Scheduled"
    QUEUED = "Queued"
    SENDING = "Sending"
    SENT = "Sent"
    DELIVERED = "Delivered"
    WILL_NOT_SEND = "WillNotSend"
    UNDELIVERABLE_CAN_RETRY = "UndeliverableCanRetry"
    UNDELIVERABLE_PERMANENT = "UndeliverablePermanent"
    DELIVERY_ERROR = "DeliveryError"
    QUEUEING_ERROR = "QueueingError"
    UNKNOWN = "Unknown"
    CANCELLED = "Cancelled"
    ARCHIVED = "Archived"


class BillStatus(StrEnum):
    """A bill's stored status. Past due is derived from age and never stored."""

    DUE = "Due"
    PAID = "Paid"
    SUSPENDED = "Suspended"
    CANCELLED = "Cancelled"


class BillType(StrEnum):
    """Whether each statement is a bill of its own, or amends the one bill of its patient account."""

    EPISODIC = "Episodic"
    LIFETIME = "Lifetime"


class Hold(StrEnum):
    """A reason, set on an account, for which all dunning stops."""

    DISPUTE = "Dispute"
    HARDSHIP = "Hardship"
    BANKRUPTCY = "Bankruptcy"
    DECEASED = "Deceased"
    PAYMENT_PLAN = "PaymentPlan"


class ObjectionKind(StrEnum):
    """What a patient says against a bill."""

    ALREADY_PAID = "AlreadyPaid"
    INSURANCE_PENDING = "InsurancePending"
    NOT_MINE = "NotMine"
    WRONG_AMOUNT = "WrongAmount"


class CreditUse(StrEnum):
    """Whether what was overpaid is used for the account's other bills, or kept for staff to decide."""

    APPLY = "Apply"
    KEEP = "Keep"


class CommunicationStatus(StrEnum):
    """Whether the collector may queue notices for an organization."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class AccountStatus(StrEnum):
    """An organization's standing; only an Active one duns."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    SUSPENDED = "Suspended"
    ARCHIVED = "Archived"


class BillAging(StrEnum):
    """Whether bills age by the calendar alone or may be moved by a statement's dunning status."""

    NATURAL = "Natural"
    BASED_ON_DUNNING_STATUS = "BasedOnDunningStatus"


class DunningReset(StrEnum):
    """What a payment that meets the payment rule does to a bill's level."""

    ZERO = "Zero"
    MINUS_ONE = "MinusOne"


class ConsentSource(StrEnum):
    """How a channel was opted out of or in to, as the registry of consent names it."""

    TEXT_MESSAGE = "text message"
    UNSUBSCRIBE_PAGE = "unsubscribe page"
    ONE_CLICK = "one-click unsubscribe"
    PARTNER_STATEMENT = "partner statement"
    STAFF = "staff"
    COMPLAINT = "complaint"
    RETURNED_MESSAGE = "returned message"
    LAST_CHANNEL = "last channel kept"


class Language(StrEnum):
    """A language that every system-default template exists in."""

    ENGLISH = "en"
    SPANISH = "es"


class AddressStatus(StrEnum):
    """USPS delivery point validation of a mailing address, as partners send it."""

    DELIVERABLE = "Y"
    SECONDARY_MISSING = "S"
    QUESTIONABLE = "D"
    INVALID = "N"


class Processor(StrEnum):
    """Through whom an organization takes payments online."""

    NONE = "none"
    STRIPE = "stripe"
    EXTERNAL = "external"
    SANDBOX = "sandbox"


class IngestionResult(StrEnum):
    """The result of one statement of a file."""

    CREATED = "Created"
    UPDATED = "Updated"
    IGNORED = "Ignored"
    FAILED = "Failed"


class LinkStatus(StrEnum):
    """Where a payment link stands."""

    # docs/rules.md#link-status
    SENT = "Sent"
    OPENED = "Opened"
    PAID = "Paid"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"
    REVOKED = "Revoked"
