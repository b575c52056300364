"""A change to an account: contact, language, opt-outs, holds.

Each opt-out is told of in the account's history with its source and wording, which makes that history the registry of
consent (`shared.domain.account.consents`).
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.consents import GIVEN, WITHDRAWN
from shared.domain.account.contacts import GUARANTOR, number_hash, reached_elsewhere
from shared.domain.account.ledger import stopped
from shared.domain.account.stopping import cancel_pending
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import CANCELLABLE, Notice
from shared.domain.records.policy import Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import OPT_OUT_REASONS
from shared.domain.vocabulary.words import Channel, ConsentSource, NotificationType


def change_account(
    book: AccountBook, after: Account, now: datetime, actor: str, *, source: str = "", wording: str = ""
) -> Change | None:
    """Put an account into a new state, and stop what a hold or opt-out forbids; None: nothing is different.

    Whatever it was, the account is planned anew: a hold lifted or an address corrected may let a step go.
    source: by which way consent was given or withdrawn (ConsentSource). wording: in which of our own words.
    """
    if after == book.account:
        return None
    after = _own_number_back(book.account, after)
    notices = {notice.notice_id: notice for notice in _of_closed_channels(book, after, now, actor)}
    notices |= {notice.notice_id: notice for notice in cancel_pending(replace(book, account=after), now, actor)}
    return Change(
        account=replace(after, planning_at=now),
        notices=tuple(notices.values()),
        history=_events(book.account, after, now, actor, source, wording),
    )


def consent_events(
    before: OptOuts, after: OptOuts, now: datetime, actor: str, source: str, wording: str
) -> tuple[HistoryEvent, ...]:
    """What the registry of consent is told of a change: each channel that it closes, and each that it opens.

    Letters that are left on because the last other channel was closed are no consent of whoever closed it.
    """
    closed, opened = _closed(before, after), _closed(after, before)
    last = closed and after.email and after.sms

    def event(name: str, channel: Channel) -> HistoryEvent:
        kept = last and (name, channel) == (GIVEN, Channel.PRINT)
        said = {"source": ConsentSource.LAST_CHANNEL, "wording": ""} if kept else {"source": source, "wording": wording}
        return HistoryEvent(at=now, event=name, actor=actor, facts={"channel": channel, **said})

    return (
        *(event(WITHDRAWN, channel) for channel in closed),
        *(event(GIVEN, channel) for channel in opened),
    )


def leaving_one(wanted: OptOuts) -> OptOuts:
    """The opt-outs as far as they leave a channel: the last one stays open on paper (domain.md, Queue rules)."""
    return replace(wanted, print=wanted.print and not (wanted.email and wanted.sms))


def opted_out_of(opt_outs: OptOuts, channel: Channel) -> OptOuts:
    """The opt-outs with one channel more, as far as they leave one."""
    return leaving_one(replace(opt_outs, **{channel.value: True}))


def as_staff_say(before: Account, said: Account) -> Account:
    """An account as staff say it is, as far as that can be: one channel stays open, and a new address is a good one."""
    renewed = reached_elsewhere(before.guarantor, said.guarantor)
    return replace(said, opt_outs=leaving_one(said.opt_outs), undeliverable=before.undeliverable - renewed)


def after_return(account: Account, notice: Notice, organization: Organization | None) -> Account:
    """The account after a message came back for good: its channel can't be used until the contact is corrected.

    Where the organization wants it, an electronic one counts as opted out of too. A message to somebody else, or to a
    test contact, says nothing of the guarantor's own.
    """
    if notice.send_to != GUARANTOR or (organization and organization.test_contacts):
        return account
    unreachable = replace(account, undeliverable=account.undeliverable | {notice.channel})
    if organization and organization.dunning.opt_out_after_undeliverable and notice.channel.electronic:
        return replace(unreachable, opt_outs=opted_out_of(account.opt_outs, notice.channel))
    return unreachable


def _own_number_back(before: Account, after: Account) -> Account:
    """Whoever has texts opened for a guarantor knows that they are wanted again at the guarantor's number."""
    if Channel.SMS not in _closed(after.opt_outs, before.opt_outs):
        return after
    return replace(after, stopped_numbers=after.stopped_numbers - {number_hash(after.guarantor.mobile_phone)})


def _closed(before: OptOuts, after: OptOuts) -> list[Channel]:
    return [channel for channel in Channel if getattr(after, channel) and not getattr(before, channel)]


def _of_closed_channels(book: AccountBook, after: Account, now: datetime, actor: str) -> list[Notice]:
    """Messages on demand that wait for a channel just closed; dunning's own are seen to with the others."""
    return [
        stopped(notice, now, actor, OPT_OUT_REASONS[notice.channel])
        for notice in book.notices
        if notice.channel in _closed(book.account.opt_outs, after.opt_outs)
        and notice.status in CANCELLABLE
        and notice.notification_type is NotificationType.ON_DEMAND
        and notice.send_to == GUARANTOR
    ]


def _events(
    before: Account, after: Account, now: datetime, actor: str, source: str, wording: str
) -> tuple[HistoryEvent, ...]:
    def event(name: str, **facts: str) -> HistoryEvent:
        return HistoryEvent(at=now, event=name, actor=actor, facts=facts)

    return (
        *(event("HoldSet", hold=hold) for hold in sorted(after.holds - before.holds)),
        *(event("HoldLifted", hold=hold) for hold in sorted(before.holds - after.holds)),
        *consent_events(before.opt_outs, after.opt_outs, now, actor, source, wording),
        *((event("ContactChanged"),) if after.guarantor != before.guarantor else ()),
    )
