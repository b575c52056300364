"""A bill goes to another account: what goes along, and what stays (docs/rules.md#statement-moves, #goes-along).

What belongs to the bill always goes: its payments, and whatever dispute or payment plan held it. What belongs to the
person goes where the bill goes to the same person under another key. An opt-out or a hold stays behind too: forgetting
one is worse than keeping one too many. Money stands in both ledgers and counts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.domain.account.account_changes import leaving_one
from shared.domain.account.consents import OPTED_IN_EVENT, OPTED_OUT_EVENT, Consent, consents
from shared.domain.account.contacts import GUARANTOR, reached_elsewhere
from shared.domain.account.holds import both_holds, taken_off
from shared.domain.account.ledger import dunning_notices
from shared.domain.account.pauses import both_pauses
from shared.domain.intake.arrival import ACTIVE, MOVED, IntakeContext, with_event, without_cause
from shared.domain.intake.identity import same_person
from shared.domain.paying.moved_money import brought_in, credit_moved, shares_of, taken_out
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import COUNTS_AS_SENT
from shared.domain.records.payment import Payment
from shared.domain.records.statement import Guarantor, OptOuts
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import HOLD_REASONS, Reason
from shared.domain.vocabulary.words import BillStatus, Channel, Hold, NoticeStatus

BILL_HOLDS = (Hold.DISPUTE, Hold.PAYMENT_PLAN)
"""The holds that are about what is owed, not about who owes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What leaves an account for another: bills as they go on, with what goes along; `left`: what changes here.

    same: whether it goes to the same person, under another key. payments: of the bills, as far as they are theirs.
    """

    account: Account
    same: bool
    bills: tuple[Bill, ...]
    payments: tuple[Payment, ...]
    consents: tuple[HistoryEvent, ...]
    left: Change


def depart(
    book: AccountBook, statement_ids: Iterable[str], to: Guarantor, new_account_id: str, context: IntakeContext
) -> Departure | None:
    """Let bills go to another account, with those that they took the place of; None: none is here (any more).

    They stay behind Cancelled, and what was going to be sent about them is stopped.
    """
    going = _with_amended(book, statement_ids)
    if not going:
        return None
    same = same_person(book.account.guarantor, to)
    left = [_stub(bill, new_account_id, context) for bill in going]
    payments = shares_of(book, {bill.statement_id for bill in going})
    credit = book.account.credit if same else 0
    money = [taken_out(payment, book, new_account_id, context.now) for payment in payments]
    if credit:
        money.append(credit_moved(book, new_account_id, -credit, context.now, context.today))
    account = replace(book.account, credit=book.account.credit - credit, planning_at=context.now)
    change = Change(account=account, bills=tuple(left), payments=tuple(money))
    if not same:
        change = _bill_holds_lifted(book, change, context)
    ended = without_cause(book.after(change), context.now)
    return Departure(
        account=book.account,
        same=same,
        bills=tuple(_going_on(bill, stub, book, same=same) for bill, stub in zip(going, left, strict=True)),
        payments=payments,
        consents=tuple(event for event in book.history if event.event in {OPTED_IN_EVENT, OPTED_OUT_EVENT}),
        left=replace(change, notices=ended),
    )


def arrive(book: AccountBook, departure: Departure, context: IntakeContext) -> Change:
    """Take in what left another account, as if it had always been here; `book` is the account that it goes to."""
    payments = [brought_in(payment, book) for payment in departure.payments]
    if not departure.same:
        account = replace(book.account, planning_at=context.now)
        return Change(account=account, bills=departure.bills, payments=tuple(payments))
    old, account = departure.account, book.account
    if old.credit:
        payments.append(credit_moved(book, old.account_id, old.credit, context.now, context.today))
    added = tuple(event for event in departure.consents if event not in book.history)
    after = replace(
        both_pauses(both_holds(account, old), old),
        opt_outs=_opt_outs(book, departure),
        stopped_numbers=account.stopped_numbers | old.stopped_numbers,
        undeliverable=account.undeliverable | (old.undeliverable - reached_elsewhere(old.guarantor, account.guarantor)),
        credit=account.credit + old.credit,
        planning_at=context.now,
    )
    held = tuple(
        HistoryEvent(at=context.now, event="HoldSet", actor=Actor.PARTNER, reason=MOVED, facts={"hold": hold})
        for hold in sorted(after.holds - account.holds)
    )
    return Change(account=after, bills=departure.bills, payments=tuple(payments), history=(*added, *held))


# --- bills ----------------------------------------------------------------------------------------------------------


def _with_amended(book: AccountBook, statement_ids: Iterable[str]) -> list[Bill]:
    """The bills of these statements that are here, with those whose place they took: payments still come for them."""
    named = [bill for name in dict.fromkeys(statement_ids) if (bill := book.bill(name))]
    behind = [bill for each in named for name in each.amends if (bill := book.bill(name))]
    found = {bill.statement_id: bill for bill in (*named, *behind)}
    return [bill for bill in found.values() if not bill.moved_to]


def _stub(bill: Bill, new_account_id: str, context: IntakeContext) -> Bill:
    """What stays behind of a bill. What was paid goes along, so that the same money doesn't show on two."""
    stub = replace(bill, status=BillStatus.CANCELLED, status_reason=MOVED, moved_to=new_account_id, paid=0)
    return with_event(stub, context, "BillMoved", MOVED)


def _going_on(bill: Bill, stub: Bill, book: AccountBook, *, same: bool) -> Bill:
    """The bill as it goes on. The same person isn't sent a step again; another doesn't get a disputed bill dunned."""
    bill = replace(bill, history=stub.history)
    if same:
        return replace(bill, level_floor=max(bill.level_floor, _level_sent(book, bill)))
    held = [HOLD_REASONS[hold] for hold in BILL_HOLDS if hold in book.account.holds]
    if any(each.statement_id in {"", *bill.statement_ids} for each in book.account.objections):
        held.append(Reason.OBJECTION)
    if not held or bill.status is not BillStatus.DUE:
        return bill
    return replace(bill, status=BillStatus.SUSPENDED, status_reason=held[0])


def _level_sent(book: AccountBook, bill: Bill) -> int:
    """The highest level that went or is with a provider now; its notices stay in the old account's ledger."""
    return max(
        (
            entry.level
            for notice in dunning_notices(book)
            if notice.status in COUNTS_AS_SENT or notice.status is NoticeStatus.SENDING
            for entry in notice.bills
            if entry.statement_id in bill.statement_ids and entry.aging_period == bill.aging_period
        ),
        default=0,
    )


def _bill_holds_lifted(book: AccountBook, change: Change, context: IntakeContext) -> Change:
    """A dispute or payment plan went with the bill that it was about, where no other bill is left to be about."""
    lifted = [hold for hold in BILL_HOLDS if hold in book.account.holds]
    if not lifted or any(bill.status in ACTIVE for bill in book.after(change).bills):
        return change
    events = (
        HistoryEvent(at=context.now, event="HoldLifted", actor=Actor.PARTNER, reason=MOVED, facts={"hold": hold})
        for hold in lifted
    )
    return replace(change, account=taken_off(change.account, frozenset(lifted)), history=tuple(events))


# --- consent --------------------------------------------------------------------------------------------------------


def _opt_outs(book: AccountBook, departure: Departure) -> OptOuts:
    """The opt-outs of both, but what the guarantor opted in to since, where the bill goes to."""
    there, here = departure.account.opt_outs, book.account.opt_outs
    registry = consents(book)

    def out(channel: Channel) -> bool:
        if getattr(here, channel) or not getattr(there, channel):
            return bool(getattr(here, channel))
        return not _opted_in_since(channel, registry, departure)

    return leaving_one(OptOuts(**{channel.value: out(channel) for channel in Channel}))


def _opted_in_since(channel: Channel, registry: tuple[Consent, ...], departure: Departure) -> bool:
    own = [each for each in registry if (each.channel, each.recipient) == (channel, GUARANTOR)]
    out_at = [
        event.at
        for event in departure.consents
        if event.facts.get("channel") == channel and event.facts.get("party", GUARANTOR) == GUARANTOR
    ]
    return bool(own) and own[-1].given and (not out_at or own[-1].at > max(out_at))
