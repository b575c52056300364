"""A statement as it arrives, and its result."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.account.number_stops import NumberStop
from shared.domain.account.stopping import cancel_pending, cancel_requests
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus, BillStatus, BillType, IngestionResult

OPT_OUT_FIELD = "electronicOptOut"
"""The field of a statement that opts out of channels: the wording that the registry of consent keeps of it."""


ACTIVE = frozenset({BillStatus.DUE, BillStatus.SUSPENDED})


ENDED = frozenset({BillStatus.PAID, BillStatus.CANCELLED})


MOVED = "moved to another guarantor"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeContext:
    """How statements came: to which organization, in which file, when, as bills of which type, and sent by whom."""

    organization: Organization
    bill_type: BillType
    ingestion_id: str
    now: datetime
    actor: str = Actor.PARTNER

    @property
    def today(self) -> date:
        """The processing date, on the organization's calendar."""
        return self.now.astimezone(self.organization.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A valid statement as it came. `document` is its own text, and says whether it is the same to the letter.

    warnings: what had to be mended in it or left out. language_given: whether it names a language; without one a known
    preference stands. unusable: pointers to contact data that is given and can't be used. time_zones: those that the
    guarantor's ZIP code and mobile number suggest, where the statement gives none the ones that are known.
    number_stop: what that number last said about texts, to whichever account.
    """

    statement: Statement
    document: bytes
    warnings: tuple[Remark, ...] = ()
    language_given: bool = True
    unusable: frozenset[str] = frozenset()
    time_zones: tuple[str, ...] = ()
    number_stop: NumberStop | None = None

    @property
    def fingerprint(self) -> str:
        """Knows an identical document again (docs/rules.md#identical-statement)."""
        return fingerprint(self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a statement came to, and what it changes; None: nothing."""

    result: IngestionResult
    change: Change | None = None
    warnings: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()


def fingerprint(document: bytes) -> str:
    """SHA-256 of a document as it was received."""
    return hashlib.sha256(document).hexdigest()


def with_event(bill: Bill, context: IntakeContext, event: str, reason: str, **facts: str) -> Bill:
    """The bill with an event of this ingestion at the end of its history."""
    facts = {"ingestionId": context.ingestion_id, **facts}
    entry = HistoryEvent(at=context.now, event=event, actor=context.actor, reason=reason, facts=facts)
    return replace(bill, history=(*bill.history, entry))


def without_cause(book: AccountBook, now: datetime) -> tuple[Notice, ...]:
    """What is pending and has no cause any more: by the dunning rules, or because nothing can be paid by it."""
    return (
        *cancel_pending(book, now, Actor.PARTNER),
        *cancel_requests(book, now, Actor.PARTNER, Reason.BILL_CANCELLED),
    )


def refusal_of_intake(organization: Organization) -> Remark | None:
    """Why an organization takes no statements or payments: it is archived. None: it takes them."""
    if AccountStatus.ARCHIVED in {organization.account_status, organization.partner_status}:
        return Remark("/clientId", "The organization is archived and takes no statements.")
    return None
