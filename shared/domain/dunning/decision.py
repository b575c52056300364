"""What the engine answers: a plan with its reasons, and a verdict at the moment of sending."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account.contacts import Contact
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import Change
from shared.domain.records.notice import BillLevel, Notice
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, NotificationType


class Rule(StrEnum):
    """A rule that is checked, by the name that a billing manager knows it by."""

    ORGANIZATION_STATUS = "account status of the organization"
    COMMUNICATIONS = "communication status"
    HOLDS = "holds"
    PATIENT = "objections and reminder days of the patient"
    BILL_STATUS = "bill status"
    STEP = "current step"
    ALREADY_SENT = "already sent"
    CHANNELS = "channels of the step"
    OPT_OUT = "opt-out"
    CONTACT = "contact"
    ADDRESS_STATUS = "mailing address status"
    MINIMUM = "minimum dollar threshold"
    ELECTRONIC_FIRST = "skip paper when electronic available"
    PERMITTED_HOURS = "permitted hours"
    PAPER_CYCLE = "paper cycle"
    RESULT = "result"


class RuleOutcome(StrEnum):
    """What a rule did."""

    PASSES = "passes"
    STOPS = "stops"
    WAITS = "waits"
    GOES = "goes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule checked: what it found, and its outcome. No channel: for all; no statement: for the whole account."""

    rule: Rule
    found: str
    outcome: RuleOutcome
    statement_id: str = ""
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to write, when to plan again, and why.

    notices: whole rows, each new or with its history appended to. next_planning_at: None with a rest_reason.
    bills: those for which a notice after an update is dropped (docs/rules.md#update-while-stopped).
    ended: what ends with the plan's moment: holds whose end date has come (docs/rules.md#hold-end), and the wait for
        the day to be reminded on (docs/rules.md#remind-later).
    """

    notices: tuple[Notice, ...]
    bills: tuple[Bill, ...] = ()
    next_planning_at: datetime | None
    rest_reason: str
    findings: tuple[Finding, ...]
    ended: Change | None = None

    def change(self, account: Account) -> Change:
        """What the plan changes at its account."""
        before = self.ended.account if self.ended else account
        planned = replace(before, planning_at=self.next_planning_at)
        change = Change(account=planned, bills=self.bills, notices=self.notices)
        return self.ended.then(change) if self.ended else change


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send it: this message, about these bills, to this contact. level 0 for notices that no step asked for."""

    notification_type: NotificationType
    level: int
    bills: tuple[BillLevel, ...]
    template_id: str
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Don't send it: WillNotSend, with the reason."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """Not now: Scheduled again for another time."""

    until: datetime
    reason: Reason


type Verdict = Send | Refuse | Defer
