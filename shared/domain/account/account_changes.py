"""A change to an account: contact, language, opt-outs, holds.

Each opt-out is recorded in the account's history with its source and wording, which makes that history the registry of
consent (`shared.domain.account.consents`).
"""

from dataclasses import replace
from datetime import date, datetime

from shared.domain.account.consents import OPTED_IN_EVENT, OPTED_OUT_EVENT
from shared.domain.account.contacts import GUARANTOR, number_hash, reached_elsewhere
from shared.domain.account.ledger import stopped
from shared.domain.account.stopping import cancel_pending
from shared.domain.records.account import Account, HoldDetail
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import CANCELLABLE, Notice
from shared.domain.records.policy import Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.actors import person_behind
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import OPT_OUT_REASONS
from shared.domain.vocabulary.words import Channel, ConsentSource, Hold, NotificationType


def change_account(
    book: AccountBook,
    after: Account,
    now: datetime,
    actor: str,
    *,
    source: str = "",
    wording: str = "",
    hold_reason: str = "",
) -> Change | None:
    """Put an account into a new state, and stop what a hold or opt-out forbids; None: nothing is different.

    Whatever it was, the account is planned again: a hold lifted or an address corrected may let a step go.
    source: how consent was given or withdrawn (ConsentSource). wording: the words of ours that were agreed to.
    hold_reason: why a hold is lifted; why one is set stands in its detail.
    """
    if after == book.account:
        return None
    after = replace(_own_number_allowed(book.account, after), hold_details=_details(book.account, after, now, actor))
    notices = {notice.notice_id: notice for notice in _on_demand_opted_out_of(book, after, now, actor)}
    notices |= {notice.notice_id: notice for notice in cancel_pending(replace(book, account=after), now, actor)}
    return Change(
        account=replace(after, planning_at=now),
        notices=tuple(notices.values()),
        history=(
            *_hold_events(book.account, after, now, actor, hold_reason),
            *consent_events(book.account.opt_outs, after.opt_outs, now, actor, source, wording),
            *_contact_events(book.account, after, now, actor),
        ),
    )


def consent_events(
    before: OptOuts, after: OptOuts, now: datetime, actor: str, source: str, wording: str
) -> tuple[HistoryEvent, ...]:
    """What a change adds to the registry of consent: an entry for each channel opted out of, and each opted in to.

    Letters that are left on because the last other channel was opted out of are no consent of whoever did so.
    """
    opted_out, opted_in = _newly_opted_out(before, after), _newly_opted_out(after, before)
    last = opted_out and after.email and after.sms

    def event(name: str, channel: Channel) -> HistoryEvent:
        kept = last and (name, channel) == (OPTED_IN_EVENT, Channel.PRINT)
        said = {"source": ConsentSource.LAST_CHANNEL, "wording": ""} if kept else {"source": source, "wording": wording}
        return HistoryEvent(at=now, event=name, actor=actor, facts={"channel": channel, **said})

    return (
        *(event(OPTED_OUT_EVENT, channel) for channel in opted_out),
        *(event(OPTED_IN_EVENT, channel) for channel in opted_in),
    )


def leaving_one(wanted: OptOuts) -> OptOuts:
    """The opt-outs as far as they leave a channel: the last one stays open on paper (docs/rules.md#last-channel)."""
    return replace(wanted, print=wanted.print and not (wanted.email and wanted.sms))


def opted_out_of(opt_outs: OptOuts, channel: Channel) -> OptOuts:
    """The opt-outs with one channel more, as far as they leave one."""
    return leaving_one(replace(opt_outs, **{channel.value: True}))


def as_staff_say(before: Account, said: Account) -> Account:
    """An account as staff say it is, as far as that can be: one channel stays open, and a new address is a good one."""
    renewed = reached_elsewhere(before.guarantor, said.guarantor)
    return replace(said, opt_outs=leaving_one(said.opt_outs), undeliverable=before.undeliverable - renewed)


def after_bounce(account: Account, notice: Notice, organization: Organization | None) -> Account:
    """The account after a message bounced permanently: its channel can't be used until the contact is corrected.

    Where the organization wants it, an electronic one counts as opted out of too. A message to somebody else, or to a
    test contact, says nothing of the guarantor's own.
    """
    if notice.send_to != GUARANTOR or (organization and organization.test_contacts):
        return account
    unreachable = replace(account, undeliverable=account.undeliverable | {notice.channel})
    if organization and organization.dunning.opt_out_after_undeliverable and notice.channel.electronic:
        return replace(unreachable, opt_outs=opted_out_of(account.opt_outs, notice.channel))
    return unreachable


def _own_number_allowed(before: Account, after: Account) -> Account:
    """Whoever opts a guarantor in to texts knows that they are wanted again at the guarantor's number."""
    if Channel.SMS not in _newly_opted_out(after.opt_outs, before.opt_outs):
        return after
    return replace(after, stopped_numbers=after.stopped_numbers - {number_hash(after.guarantor.mobile_phone)})


def _newly_opted_out(before: OptOuts, after: OptOuts) -> list[Channel]:
    return [channel for channel in Channel if getattr(after, channel) and not getattr(before, channel)]


def _on_demand_opted_out_of(book: AccountBook, after: Account, now: datetime, actor: str) -> list[Notice]:
    """Messages on demand that wait for a channel just opted out of; dunning's own are cancelled with the others."""
    return [
        stopped(notice, now, actor, OPT_OUT_REASONS[notice.channel])
        for notice in book.notices
        if notice.channel in _newly_opted_out(book.account.opt_outs, after.opt_outs)
        and notice.status in CANCELLABLE
        and notice.notification_type is NotificationType.ON_DEMAND
        and notice.send_to == GUARANTOR
    ]


def _details(before: Account, after: Account, now: datetime, actor: str) -> tuple[HoldDetail, ...]:
    """What is known of each hold: as it was said, or at least since when and by whom; nothing of one that is gone."""
    set_now = {hold: HoldDetail(hold=hold, since=now, by=person_behind(actor) or actor) for hold in after.holds}
    unknown = before.holds - {detail.hold for detail in before.hold_details}
    said = {detail.hold: detail for detail in after.hold_details}
    known = {hold: detail for hold, detail in set_now.items() if hold not in unknown} | said
    return tuple(known[hold] for hold in sorted(after.holds & known.keys()))


def _hold_events(
    before: Account, after: Account, now: datetime, actor: str, lifted_because: str
) -> tuple[HistoryEvent, ...]:
    """A hold that was set, or is held for another reason or time; and each that was lifted."""
    known = {detail.hold: detail for detail in before.hold_details if detail.hold in before.holds}

    said = [detail for detail in after.hold_details if detail != known.get(detail.hold)]

    def event(name: str, hold: Hold, reason: str, until: date | None = None) -> HistoryEvent:
        end = {"until": until.isoformat()} if until else {}
        return HistoryEvent(at=now, event=name, actor=actor, reason=reason, facts={"hold": hold} | end)

    return (
        *(event("HoldSet", each.hold, each.reason, each.until) for each in said),
        *(event("HoldLifted", hold, lifted_because) for hold in sorted(before.holds - after.holds)),
    )


def _contact_events(before: Account, after: Account, now: datetime, actor: str) -> tuple[HistoryEvent, ...]:
    return (HistoryEvent(at=now, event="ContactChanged", actor=actor),) if after.guarantor != before.guarantor else ()
