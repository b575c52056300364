"""The account: one guarantor at one organization, the aggregate of all about a balance."""

from dataclasses import dataclass, field
from datetime import date, datetime

from shared.domain.records.statement import NOTHING_OPTED_OUT, BillTo, Guarantor, OptOuts
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import Channel, Hold, ObjectionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswers:
    """Wrong answers to the questions of all links and bill codes of an account.

    count: since the last right one. in_day: within a day from day_began. locked_until: no answer is accepted before.
    """

    count: int = 0
    in_day: int = 0
    day_began: datetime | None = None
    locked_until: datetime | None = None


NO_WRONG_ANSWERS = WrongAnswers()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDetail:
    """Why, since when and by whom an account is on hold.

    until: the day of the organization's calendar on which dunning goes on by itself; None: once the hold is lifted.
    by: the person who set it, or the actor where no person was named.
    """

    hold: Hold
    reason: str = ""
    since: datetime
    until: date | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpaidBills:
    """What is payable of the bills of one effective created date (cents). suspended: they aren't dunned."""

    since: date
    suspended: bool = False
    amount: Cents
    bills: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """What lists show of an account, so that they needn't read its bills.

    credit: with what statements say that the practice owes. patient_names: last names, made alike for searching, that
    aren't the guarantor's. notice_ids: those of its ledger that the next and the last notice are among.
    """

    unpaid: tuple[UnpaidBills, ...] = ()
    credit: Cents = 0
    patient_names: tuple[str, ...] = ()
    notice_ids: tuple[str, ...] = ()

    @property
    def owed(self) -> Cents:
        """What can be paid."""
        return sum(each.amount for each in self.unpaid)

    @property
    def open_bills(self) -> int:
        """How many bills are owed and may be dunned."""
        return sum(each.bills for each in self.unpaid if not each.suspended)

    @property
    def owing_since(self) -> date | None:
        """The effective created date of the oldest bill that can be paid; None: none can."""
        return min((each.since for each in self.unpaid), default=None)

    def past_due(self, today: date, days_until_due: int) -> Cents:
        """What is owed on bills whose due date has gone by."""
        return sum(
            each.amount for each in self.unpaid if not each.suspended and (today - each.since).days > days_until_due
        )


NOT_SUMMARIZED = AccountSummary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What a patient said against a bill, until staff have settled it.

    task_id: the task by which they do. statement_id: which bill it is about; "": all that the link shows. recipient:
    whose link it was said at. words: a hash of what else was said, by which a repetition is known; the words themselves
    are the task's alone.
    """

    task_id: str
    kind: ObjectionKind
    said_at: datetime
    statement_id: str = ""
    recipient: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(StoredRecord):
    """A guarantor at an organization.

    `version` rises with every change to the account or its bills, and conditions the next.
    `time_zones` are those that the guarantor's ZIP code and phone number suggest, for a text's quiet hours.
    `stopped_numbers` are the phone numbers, hashed, from which somebody asked that no more texts be sent to them.
    `hold_details` says more of each of `holds`, but of those that were set before details were kept.
    `objections` are those that no staff have settled; `remind_on` is the first day on which the guarantor wants to hear
    of what is owed again. Dunning pauses for both (docs/rules.md#objection, #remind-later).
    `settings_version` is the version of the organization that it has to be planned by, or a later one.
    `planning_at` is when the scheduler plans it next; None: nothing to wait for.
    `summary` follows from the account with its bills and notices, and is made anew by whoever stores a change.
    """

    org_id: str
    account_id: str
    guarantor: Guarantor
    bill_to: BillTo | None = None
    opt_outs: OptOuts = NOTHING_OPTED_OUT
    undeliverable: frozenset[Channel] = frozenset()
    stopped_numbers: frozenset[str] = frozenset()
    holds: frozenset[Hold] = frozenset()
    hold_details: tuple[HoldDetail, ...] = ()
    objections: tuple[Objection, ...] = ()
    remind_on: date | None = None
    time_zones: tuple[str, ...] = ()
    credit: Cents = 0
    wrong_answers: WrongAnswers = NO_WRONG_ANSWERS
    version: int = 0
    planning_at: datetime | None = None
    settings_version: int = 0
    summary: AccountSummary = field(default=NOT_SUMMARIZED, compare=False, repr=False)
