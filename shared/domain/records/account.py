"""The account: one guarantor at one organization, the aggregate of all about a balance."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.records.statement import NOTHING_OPTED_OUT, BillTo, Guarantor, OptOuts
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import Channel, Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A guarantor at an organization.

    `version` rises with every change to the account or its bills, and conditions the next.
    `time_zones` are those that the guarantor's ZIP code and phone number suggest, for a text's quiet hours.
    `stopped_numbers` are the phone numbers, hashed, from which somebody asked that no more texts be sent to them.
    `settings_version` is the version of the organization that it has to be planned by, or a later one.
    `planning_at` is when the scheduler plans it next; None: nothing to wait for.
    """

    org_id: str
    account_id: str
    guarantor: Guarantor
    bill_to: BillTo | None = None
    opt_outs: OptOuts = NOTHING_OPTED_OUT
    undeliverable: frozenset[Channel] = frozenset()
    stopped_numbers: frozenset[str] = frozenset()
    holds: frozenset[Hold] = frozenset()
    time_zones: tuple[str, ...] = ()
    credit: Cents = 0
    version: int = 0
    planning_at: datetime | None = None
    settings_version: int = 0
