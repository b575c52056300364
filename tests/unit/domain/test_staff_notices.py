"""What staff has sent, the keys that partners present, and how a file of statements is told of."""

import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import pytest

from shared.domain.account.reconciliation import RECONCILE_AFTER, lease_ended
from shared.domain.delivery.staff_notices import (
    AccountOnHoldError,
    LinkPaidError,
    NothingOwedError,
    OptedOutError,
    link_status,
    on_demand,
    one_time_link,
    revoke_link,
    staff_links,
)
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus, StatementRow
from shared.domain.records.notice import BillLevel, Notice, StatusChange
from shared.domain.records.partner import ApiKey, Scope, key_id_of, new_api_key
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import (
    BillStatus,
    Channel,
    Hold,
    IngestionResult,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from tests.worlds.examples import NOW, account, bill, book, notice

S = NoticeStatus
LATER = NOW + timedelta(hours=1)
PAID = bill(status=BillStatus.PAID, balance=0)
ABOUT = (BillLevel(statement_id="S-1", aging_period="S-1/1", level=0),)


def asked(**changes: Any) -> dict[str, Any]:
    facts = {"notice_id": "ntc_9", "channel": Channel.SMS, "recipient": "patient", "template_id": "T-1"}
    return facts | {"now": LATER, "actor": "staff"} | changes


def a_link(**changes: Any) -> PaymentLink:
    facts: dict[str, Any] = {
        "link_id": "lnk_0",
        "org_id": "org_1",
        "account_id": "G-1",
        "statement_id": "S-1",
        "notice_id": "ntc_1",
    }
    more = {"token_hash": "", "created_at": NOW, "expires_at": NOW + timedelta(days=1), "staff_name": "Sam"}
    return PaymentLink(**(facts | more | changes))


# --- on demand -----------------------------------------------


def test_a_notice_on_demand_is_scheduled_for_now_without_a_level() -> None:
    """The account needs no plan for it."""
    change = on_demand(book(), bill(), **asked())
    assert change.account == account()
    entry = StatusChange(status=S.SCHEDULED, at=LATER, actor="staff", reason="on demand", template_id="T-1")
    assert change.notices == (
        Notice(
            notice_id="ntc_9",
            org_id="org_1",
            account_id="G-1",
            channel=Channel.SMS,
            notification_type=NotificationType.ON_DEMAND,
            bills=ABOUT,
            reason="on demand",
            scheduled_for=LATER,
            created_at=LATER,
            template_id="T-1",
            send_to="patient",
            status_history=(entry,),
        ),
    )


def test_nobody_is_asked_for_what_isnt_owed_nor_on_a_channel_opted_out_of() -> None:
    """Each with its own error."""
    with pytest.raises(NothingOwedError):
        on_demand(book(), PAID, **asked())
    closed = book(account=account(opt_outs=OptOuts(sms=True)))
    with pytest.raises(OptedOutError):
        on_demand(closed, bill(), **asked())
    assert on_demand(closed, bill(), **asked(channel=Channel.EMAIL))


# --- one-time links -----------------------------------------------


def link_sent(**changes: Any) -> tuple[PaymentLink, Any]:
    facts = {"link_id": "lnk_9", "notice_id": "ntc_9", "recipient": "billTo", "sent_to": "m***", "staff_name": "Sam"}
    return one_time_link(book(**changes), bill(), **facts, now=LATER, actor="staff")


def test_a_one_time_link_lives_for_a_day_and_goes_by_email() -> None:
    """Its secret is made when it is sent."""
    link, change = link_sent()
    assert link == a_link(
        link_id="lnk_9",
        notice_id="ntc_9",
        created_at=LATER,
        expires_at=LATER + timedelta(hours=24),
        sent_to="m***",
    )
    entry = StatusChange(status=S.SCHEDULED, at=LATER, actor="staff", reason="payment link sent by staff")
    row = Notice(
        notice_id="ntc_9",
        org_id="org_1",
        account_id="G-1",
        channel=Channel.EMAIL,
        notification_type=NotificationType.PAYMENT_LINK,
        bills=ABOUT,
        reason="payment link sent by staff",
        scheduled_for=LATER,
        created_at=LATER,
        link_id="lnk_9",
        send_to="billTo",
        status_history=(entry,),
    )
    assert (change.account, change.notices, change.links) == (account(), (row,), (link,))
    (event,) = change.history
    assert (event.event, event.at, event.actor, event.facts) == (
        "PaymentLinkSent",
        LATER,
        "staff",
        {"paymentLinkId": "lnk_9"},
    )


@pytest.mark.parametrize("hold", list(Hold))
def test_a_hold_is_overridden_with_a_reason_but_not_bankruptcy_or_a_death(hold: Hold) -> None:
    held = book(account=account(holds=frozenset({hold})))
    with pytest.raises(AccountOnHoldError):
        on_demand(held, bill(), **asked())
    if hold in {Hold.BANKRUPTCY, Hold.DECEASED}:
        with pytest.raises(AccountOnHoldError):
            on_demand(held, bill(), **asked(override_reason="asked for it by phone"))
        return
    change = on_demand(held, bill(), **asked(override_reason="asked for it by phone"))
    (event,) = change.history
    assert (event.event, event.actor, event.reason) == ("HoldOverridden", "staff", "asked for it by phone")
    assert event.facts == {"notificationId": "ntc_9", "holds": hold}
    assert on_demand(book(), bill(), **asked()).history == ()


def test_a_paid_bill_gets_no_link() -> None:
    """There is nothing to ask for."""
    facts = {"link_id": "l", "notice_id": "n", "recipient": "billTo", "sent_to": "", "staff_name": ""}
    with pytest.raises(NothingOwedError):
        one_time_link(book(), PAID, **facts, now=LATER, actor="staff")


def test_a_newer_link_voids_the_one_before_and_stops_its_email() -> None:
    """Only a link that staff sent for the same bill, and that still leads somewhere."""
    kept = (
        a_link(link_id="lnk_1", staff_name="", notice_id="ntc_2"),
        a_link(link_id="lnk_2", statement_id="S-2", notice_id="ntc_3"),
        a_link(link_id="lnk_3", status=LinkStatus.PAID, notice_id="ntc_4"),
    )
    rows = tuple(notice(notice_id=f"ntc_{number}", lease_until=LATER) for number in (1, 2, 3, 4))
    opened = a_link(link_id="lnk_4", status=LinkStatus.OPENED, notice_id="ntc_5")
    _, change = link_sent(links=(a_link(), *kept, opened), notices=(*rows, notice(notice_id="ntc_5", status=S.SENT)))
    assert {(link.link_id, link.status) for link in change.links} == {
        ("lnk_9", LinkStatus.SENT),
        ("lnk_0", LinkStatus.SUPERSEDED),
        ("lnk_4", LinkStatus.SUPERSEDED),
    }
    _, stopped = change.notices
    assert (stopped.notice_id, stopped.status, stopped.reason, stopped.lease_until) == (
        "ntc_1",
        S.CANCELLED,
        "superseded by a newer link",
        None,
    )
    assert (stopped.status_history[-1].at, stopped.status_history[-1].actor) == (LATER, "staff")


def test_a_revoked_link_leads_nowhere_and_its_email_stops() -> None:
    """A second time changes nothing, and what led to a payment isn't revoked."""
    change = revoke_link(book(notices=(notice(),)), a_link(), LATER, "staff")
    assert change is not None
    assert (change.account, change.links) == (account(), (a_link(status=LinkStatus.REVOKED),))
    (stopped,) = change.notices
    assert (stopped.status, stopped.reason) == (S.CANCELLED, "payment link revoked")
    assert (stopped.status_history[-1].at, stopped.status_history[-1].actor) == (LATER, "staff")
    (event,) = change.history
    assert (event.event, event.at, event.actor, event.facts) == (
        "PaymentLinkRevoked",
        LATER,
        "staff",
        {"paymentLinkId": "lnk_0"},
    )
    assert revoke_link(book(), a_link(status=LinkStatus.REVOKED), LATER, "staff") is None
    with pytest.raises(LinkPaidError):
        revoke_link(book(), a_link(status=LinkStatus.PAID), LATER, "staff")


def test_the_links_of_a_bill_are_told_latest_first() -> None:
    """By time, then by id."""
    links = (
        a_link(link_id="lnk_1"),
        a_link(link_id="lnk_2"),
        a_link(link_id="lnk_0", created_at=LATER),
        a_link(link_id="lnk_3", staff_name=""),
        a_link(link_id="lnk_4", statement_id="S-2"),
    )
    assert [link.link_id for link in staff_links(book(links=links), "S-1")] == ["lnk_0", "lnk_2", "lnk_1"]


@pytest.mark.parametrize(
    ("status", "by_then"),
    [
        (LinkStatus.SENT, LinkStatus.EXPIRED),
        (LinkStatus.OPENED, LinkStatus.EXPIRED),
        (LinkStatus.PAID, LinkStatus.PAID),
        (LinkStatus.REVOKED, LinkStatus.REVOKED),
    ],
)
def test_a_link_whose_time_has_run_out_is_expired(status: LinkStatus, by_then: LinkStatus) -> None:
    """From the instant of its end."""
    link = a_link(status=status)
    assert link_status(link, link.expires_at - timedelta(seconds=1)) is status
    assert link_status(link, link.expires_at) is by_then


# --- leases -----------------------------------------------


@pytest.mark.parametrize(
    ("channel", "status", "becomes", "reason"),
    [
        (Channel.EMAIL, S.QUEUED, S.QUEUED, "its lease ended"),
        (Channel.EMAIL, S.SENDING, S.UNKNOWN, "the provider may have it"),
        (Channel.SMS, S.SENDING, S.UNKNOWN, "the provider may have it"),
        (Channel.PRINT, S.SENDING, S.QUEUED, "its lease ended"),
    ],
)
def test_when_a_lease_ends_what_may_have_gone_isnt_sent_again(
    channel: Channel, status: S, becomes: S, reason: str
) -> None:
    """A letter can't be written twice, so it is queued once more."""
    after = lease_ended(notice(channel=channel, status=status, lease_until=NOW), NOW, LATER)
    assert (after.status, after.reason) == (becomes, reason)
    assert after.lease_until == (LATER if becomes is S.QUEUED else NOW + RECONCILE_AFTER[channel])
    assert (after.status_history[-1].at, after.status_history[-1].actor) == (NOW, "scheduler")


# --- keys -----------------------------------------------


@pytest.mark.parametrize(("live", "word"), [(True, "live"), (False, "test")])
def test_a_key_admits_whoever_presents_it_until_it_is_revoked(*, live: bool, word: str) -> None:
    """Only its hash is kept."""
    key, presented = new_api_key("prt_1", frozenset({Scope.READ}), NOW, token_bytes, live=live)
    assert re.fullmatch(rf"dun_{word}_[0-9a-f]{{16}}_[0-9a-f]{{64}}", presented)
    assert key == ApiKey(
        key_id=key.key_id,
        partner_id="prt_1",
        secret_hash=sha256(presented.encode()).hexdigest(),
        scopes=frozenset({Scope.READ}),
        created_at=NOW,
        live=live,
    )
    assert key_id_of(presented) == key.key_id
    assert key.admits(presented, NOW)
    assert not key.admits(f"{presented}0", NOW)
    assert not replace(key, revoked_at=NOW).admits(presented, NOW)


def test_a_key_is_for_tests_unless_it_is_asked_for_as_live() -> None:
    """The safe default."""
    assert new_api_key("prt_1", frozenset(), NOW, token_bytes)[1].startswith("dun_test_")


@pytest.mark.parametrize("presented", ["", "dun_live_abc_def", f"dun_other_{'a' * 16}_{'b' * 64}"])
def test_what_can_be_no_key_has_no_id(presented: str) -> None:
    """So nothing is looked up."""
    assert key_id_of(presented) is None


# --- files -----------------------------------------------


def test_the_counts_of_a_file_add_up() -> None:
    """Each result by itself, onto what was counted before."""
    results = (
        *[IngestionResult.CREATED] * 4,
        *[IngestionResult.UPDATED] * 3,
        *[IngestionResult.IGNORED] * 2,
        IngestionResult.FAILED,
    )
    before = Counts(created=10, updated=20, ignored=30, failed=40)
    counts = before.plus(StatementRow(statement_id="S-1", result=result) for result in results)
    assert counts == Counts(created=14, updated=23, ignored=32, failed=41)
    assert (counts.total, Counts().total) == (110, 0)


def a_file(**changes: Any) -> Ingestion:
    facts: dict[str, Any] = {
        "ingestion_id": "i",
        "partner_id": "p",
        "source": IngestionSource.UPLOAD,
        "created_at": NOW,
    }
    return Ingestion(**(facts | {"upload_until": LATER} | changes))


def test_an_upload_that_never_came_has_failed() -> None:
    """After its time, and only if it is still waited for."""
    late = LATER + timedelta(seconds=1)
    assert a_file().seen_at(LATER) == a_file()
    assert a_file().seen_at(late) == a_file(status=IngestionStatus.FAILED, problem="No file was uploaded in time.")
    for other in (a_file(content="c"), a_file(status=IngestionStatus.SUCCESS), a_file(upload_until=None)):
        assert other.seen_at(late) == other
