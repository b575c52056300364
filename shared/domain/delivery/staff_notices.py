"""What staff have sent besides the steps of dunning: notices on demand and one-time payment links."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.contacts import opt_out_refusal
from shared.domain.delivery.links import ONE_TIME_LINK_LIVES
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import CANCELLABLE, BillLevel, Notice, moved, new_notice
from shared.domain.records.payment_link import PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, Hold, LinkStatus, NoticeStatus, NotificationType

FIRM_HOLDS = frozenset({Hold.BANKRUPTCY, Hold.DECEASED})
"""Holds that nothing overrides."""

USABLE = frozenset({LinkStatus.SENT, LinkStatus.OPENED})


class NothingOwedError(Exception):
    """Nobody is asked for money that isn't owed any more."""


class OptedOutError(Exception):
    """The guarantor is opted out of this channel."""


class AccountOnHoldError(Exception):
    """The account is on hold, and nobody said why it is written to all the same, or nothing may override the hold."""


class LinkPaidError(Exception):
    """The link led to a payment; there is nothing left to revoke."""


def check_hold(account: Account, override_reason: str) -> None:
    """Raise AccountOnHoldError for an account on hold (docs/rules.md#hold-override).

    override_reason: why staff write all the same; "": they don't.
    """
    if account.holds & FIRM_HOLDS or (account.holds and not override_reason):
        raise AccountOnHoldError


def on_demand(  # noqa: PLR0913 - keywords only, one for each thing that a person chooses
    book: AccountBook,
    bill: Bill,
    *,
    notice_id: str,
    channel: Channel,
    recipient: str,
    template_id: str,
    now: datetime,
    actor: str,
    override_reason: str = "",
) -> Change:
    """A notice about one bill, to be sent now: past thresholds, without a level (docs/rules.md#on-demand-notice).

    override_reason: why it goes although the account is on hold. Raises AccountOnHoldError, NothingOwedError and
    OptedOutError; whether there is a contact, the caller must have checked.
    """
    check_hold(book.account, override_reason)
    if not bill.payable:
        raise NothingOwedError
    if opt_out_refusal(channel, book.account):
        raise OptedOutError
    notice = new_notice(
        book.account,
        notice_id=notice_id,
        channel=channel,
        notification_type=NotificationType.ON_DEMAND,
        bills=[BillLevel.of(bill)],
        send_to=recipient,
        template_id=template_id,
        now=now,
    )
    asked = moved(notice, NoticeStatus.SCHEDULED, now, actor, "on demand")
    overridden = hold_overridden(book.account, notice_id, override_reason, now, actor)
    return Change(account=book.account, notices=(asked,), history=overridden)


def one_time_link(  # noqa: PLR0913 - keywords only, one for each thing that a person chooses
    book: AccountBook,
    bill: Bill,
    *,
    link_id: str,
    notice_id: str,
    recipient: str,
    sent_to: str,
    staff_name: str,
    now: datetime,
    actor: str,
    override_reason: str = "",
) -> tuple[PaymentLink, Change]:
    """A link for one bill, sent by email, that voids the one sent before. The sender of the email makes its secret.

    `sent_to` is the masked address; override_reason as in `on_demand`. Raises AccountOnHoldError and NothingOwedError.
    """
    check_hold(book.account, override_reason)
    if not bill.payable:
        raise NothingOwedError
    link = PaymentLink(
        link_id=link_id,
        org_id=book.account.org_id,
        account_id=book.account.account_id,
        statement_id=bill.statement_id,
        notice_id=notice_id,
        token_hash="",
        created_at=now,
        expires_at=now + ONE_TIME_LINK_LIVES,
        staff_name=staff_name,
        sent_to=sent_to,
    )
    notice = new_notice(
        book.account,
        notice_id=notice_id,
        channel=Channel.EMAIL,
        notification_type=NotificationType.PAYMENT_LINK,
        bills=[BillLevel.of(bill)],
        send_to=recipient,
        link_id=link_id,
        now=now,
    )
    asked = moved(notice, NoticeStatus.SCHEDULED, now, actor, "payment link sent by staff")
    before = [known for known in staff_links(book, bill.statement_id) if known.status in USABLE]
    event = HistoryEvent(at=now, event="PaymentLinkSent", actor=actor, facts={"paymentLinkId": link_id})
    change = Change(
        account=book.account,
        notices=(asked, *_unsent(book, before, "superseded by a newer link", now, actor)),
        links=(link, *(replace(known, status=LinkStatus.SUPERSEDED) for known in before)),
        history=(event, *hold_overridden(book.account, notice_id, override_reason, now, actor)),
    )
    return link, change


def revoke_link(book: AccountBook, link: PaymentLink, now: datetime, actor: str) -> Change | None:
    """Revoke a link; None: it is revoked already. Raises LinkPaidError."""
    if link.status is LinkStatus.PAID:
        raise LinkPaidError
    if link.status is LinkStatus.REVOKED:
        return None
    event = HistoryEvent(at=now, event="PaymentLinkRevoked", actor=actor, facts={"paymentLinkId": link.link_id})
    return Change(
        account=book.account,
        links=(replace(link, status=LinkStatus.REVOKED),),
        notices=_unsent(book, [link], "payment link revoked", now, actor),
        history=(event,),
    )


def staff_links(book: AccountBook, statement_id: str) -> list[PaymentLink]:
    """The links that staff sent for a bill, the latest first."""
    links = (link for link in book.links if link.staff_name and link.statement_id == statement_id)
    return sorted(links, key=lambda link: (link.created_at, link.link_id), reverse=True)


def link_status(link: PaymentLink, now: datetime) -> LinkStatus:
    """A link's status by now: one whose time has run out is Expired, though nothing recorded that."""
    return LinkStatus.EXPIRED if link.status in USABLE and now >= link.expires_at else link.status


def hold_overridden(
    account: Account, notice_id: str, reason: str, now: datetime, actor: str
) -> tuple[HistoryEvent, ...]:
    """The entry about a hold that was overridden."""
    if not account.holds:
        return ()
    facts = {"notificationId": notice_id, "holds": ", ".join(sorted(account.holds))}
    return (HistoryEvent(at=now, event="HoldOverridden", actor=actor, reason=reason, facts=facts),)


def _unsent(book: AccountBook, links: list[PaymentLink], reason: str, now: datetime, actor: str) -> tuple[Notice, ...]:
    """The emails with these links that aren't sent yet, cancelled."""
    voided = {link.notice_id for link in links}
    return tuple(
        moved(notice, NoticeStatus.CANCELLED, now, actor, reason, lease_until=None)
        for notice in book.notices
        if notice.notice_id in voided and notice.status in CANCELLABLE
    )
