"""A change that a person makes to an account: contact, language, opt-outs, holds."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account import Account
from shared.domain.book import AccountBook, Change
from shared.domain.contacts import GUARANTOR
from shared.domain.history import HistoryEvent
from shared.domain.ledger import stopped
from shared.domain.notice import CANCELLABLE, Notice
from shared.domain.policy import Organization
from shared.domain.reasons import OPT_OUT_REASONS
from shared.domain.statement import OptOuts
from shared.domain.stopping import cancel_pending
from shared.domain.words import Channel, NotificationType


def change_account(book: AccountBook, after: Account, now: datetime, actor: str) -> Change | None:
    """Put an account into a new state, and stop what a hold or opt-out forbids; None: nothing is different.

    Whatever it was, the account is planned anew: a hold lifted or an address corrected may let a step go.
    """
    if after == book.account:
        return None
    notices = {notice.notice_id: notice for notice in _of_closed_channels(book, after, now, actor)}
    notices |= {notice.notice_id: notice for notice in cancel_pending(replace(book, account=after), now, actor)}
    return Change(
        account=replace(after, planning_at=now),
        notices=tuple(notices.values()),
        history=_events(book.account, after, now, actor),
    )


def opted_out_of(opt_outs: OptOuts, channel: Channel) -> OptOuts:
    """The opt-outs with one channel more; the last one stays open on paper (domain.md, Queue rules)."""
    wanted = replace(opt_outs, **{channel.value: True})
    return replace(wanted, print=wanted.print and not (wanted.email and wanted.sms))


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


def _closed(before: Account, after: Account) -> list[Channel]:
    was, now = before.opt_outs, after.opt_outs
    return [channel for channel in Channel if getattr(now, channel) and not getattr(was, channel)]


def _of_closed_channels(book: AccountBook, after: Account, now: datetime, actor: str) -> list[Notice]:
    """Messages on demand that wait for a channel just closed; dunning's own are seen to with the others."""
    return [
        stopped(notice, now, actor, OPT_OUT_REASONS[notice.channel])
        for notice in book.notices
        if notice.channel in _closed(book.account, after)
        and notice.status in CANCELLABLE
        and notice.notification_type is NotificationType.ON_DEMAND
        and notice.send_to == GUARANTOR
    ]


def _events(before: Account, after: Account, now: datetime, actor: str) -> tuple[HistoryEvent, ...]:
    def event(name: str, **facts: str) -> HistoryEvent:
        return HistoryEvent(at=now, event=name, actor=actor, facts=facts)

    opened = [channel for channel in Channel if getattr(before.opt_outs, channel) > getattr(after.opt_outs, channel)]
    return (
        *(event("HoldSet", hold=hold) for hold in sorted(after.holds - before.holds)),
        *(event("HoldLifted", hold=hold) for hold in sorted(before.holds - after.holds)),
        *(event("OptedOut", channel=channel) for channel in _closed(before, after)),
        *(event("OptedIn", channel=channel) for channel in opened),
        *((event("ContactChanged"),) if after.guarantor != before.guarantor else ()),
    )
