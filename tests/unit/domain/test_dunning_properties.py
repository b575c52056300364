"""Whatever happens to an account, these hold: generated histories of months, with late, repeated and skipped runs."""

from collections import Counter
from copy import copy
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar.send_window import local_date, permitted
from shared.domain.dunning import cancel_pending, judge, plan, with_notices
from shared.domain.dunning.decision import Send
from shared.domain.dunning.situation import Situation
from shared.domain.records.notice import COUNTS_AS_SENT, Notice, moved
from shared.domain.records.policy import Organization, SendWindow
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import (
    AccountStatus,
    AddressStatus,
    BillStatus,
    Channel,
    CommunicationStatus,
    Hold,
    NoticeStatus,
)
from tests.worlds.bounds import some
from tests.worlds.dunning_world import World, a_bill, a_book, a_guarantor, an_account, an_organization
from tests.worlds.properties import tried

HISTORIES = tried(plain=60, thorough=5_000)

ZONES = st.sampled_from(
    ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Guam", "America/Phoenix"]
)
START = date(2026, 2, 27)
"""A Friday with a daylight-saving night and quarter of holidays before it."""

CLOCKS = st.one_of(st.sampled_from([time(8), time(10), time(12, 30)]), st.times())
"""Here as below, what lets notices go comes more often than what stops them, so that there is something to look at."""

OPT_OUTS = st.builds(OptOuts, email=st.booleans(), sms=st.booleans(), print=st.booleans())

BALANCES = st.sampled_from([100_00, 100_00, 1, 3_00, 5_00, 7_00])


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    opens = draw(st.sampled_from([time(9, 45), time(8), time(12)]))
    return an_organization(
        time_zone=draw(ZONES),
        configuration_id=draw(st.sampled_from(sorted(CONFIGURATIONS))),
        minimum_electronic=draw(st.sampled_from([0, 3_00, 5_00])),
        minimum_print=draw(st.sampled_from([0, 5_00, 7_00])),
        drop_to_paper_on_opt_out=draw(st.booleans()),
        skip_paper_when_electronic_available=draw(st.booleans()),
        no_dunning_limit=draw(st.booleans()),
        send_window=SendWindow(opens=opens, closes=draw(st.sampled_from([time(18), time(13), time(21, 30)]))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    organization = draw(organizations())
    guarantor = a_guarantor(
        email=draw(st.sampled_from(["canary@example.org", "canary@example.org", ""])),
        mobile_phone=draw(st.sampled_from(["+12125550100", ""])),
        address_status=draw(st.sampled_from([None, None, AddressStatus.INVALID])),
    )
    zones = tuple(draw(st.lists(ZONES, max_size=2, unique=True)))
    account = an_account(guarantor, account_id=draw(st.sampled_from(["1", "2", "3", "4"])), time_zones=zones)
    bills = [
        a_bill(name, on=START - timedelta(days=draw(st.integers(0, 100))), balance=draw(BALANCES))
        for name in ("A", "B", "C")[: draw(st.integers(1, 3))]
    ]
    now = datetime.combine(START, draw(CLOCKS), organization.zone).replace(microsecond=0)
    return World(organization=organization, book=a_book(*bills, account=account), now=now)


ANY_BILL = st.sampled_from(["A", "B", "C"])

EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 60 * 24 * 40)),
    st.tuples(st.just("wait"), st.integers(1, 60 * 24)),
    st.tuples(st.just("run"), st.integers(1, 60)),
    st.tuples(st.just("balance"), ANY_BILL, st.sampled_from([0, 3_00, 100_00, -5_00])),
    st.tuples(st.just("status"), ANY_BILL, st.sampled_from(BillStatus)),
    st.tuples(st.just("reset"), ANY_BILL, st.integers(0, 2)),
    st.tuples(st.just("renotify"), ANY_BILL),
    st.tuples(st.just("bill"), BALANCES),
    st.tuples(st.just("opt out"), OPT_OUTS),
    st.tuples(st.just("hold"), st.booleans()),
    st.tuples(st.just("disable"), st.booleans()),
    st.tuples(st.just("inactive"), st.booleans()),
    st.tuples(st.just("bounce"), st.sampled_from(Channel)),
    st.tuples(st.just("cancel"), st.sampled_from(Channel)),
    st.tuples(st.just("paid")),
    st.tuples(st.just("settings"), organizations()),
)


def happen(world: World, event: tuple[object, ...]) -> None:  # noqa: C901, PLR0912 - one case an event
    """Let something happen; each but waiting asks for a plan, as whoever changes an account does."""
    match event:
        case ("wait", int(minutes)):
            world.now += timedelta(minutes=minutes)
        case ("run", int(days)):
            world.run_until(world.now + timedelta(days=days))
        case ("balance", str(name), int(balance)):
            world.change_bill(name, balance=balance)
        case ("status", str(name), BillStatus() as status):
            world.change_bill(name, status=status)
        case ("reset", str(name), int(floor)):
            today = local_date(world.now, world.organization.zone)
            world.change_bill(
                name, effective_created_date=today, aging_period=f"{world.now}", level_floor=floor, renotify_at=None
            )
        case ("renotify", str(name)):
            world.change_bill(name, renotify_at=world.now)
        case ("bill", int(balance)):
            today = local_date(world.now, world.organization.zone)
            world.add(a_bill(f"N{len(world.book.bills)}", on=today, balance=balance))
        case ("opt out", OptOuts() as choice):
            world.change_account(opt_outs=choice)
        case ("hold", bool(on)):
            world.change_account(holds=frozenset({Hold.DISPUTE}) if on else frozenset())
        case ("disable", bool(on)):
            communication = CommunicationStatus.DISABLED if on else CommunicationStatus.ENABLED
            world.set_organization(replace(world.organization, communication_status=communication))
        case ("inactive", bool(on)):
            standing = AccountStatus.INACTIVE if on else AccountStatus.ACTIVE
            world.set_organization(replace(world.organization, account_status=standing))
        case ("bounce", Channel() as channel):
            bounce(world, channel)
        case ("settings", Organization() as organization):
            world.set_organization(organization)
        case ("cancel", Channel() as channel):
            cancelled = [
                moved(notice, NoticeStatus.CANCELLED, world.now, "staff", Reason.CANCELLED_BY_STAFF)
                for notice in world.pending()
                if notice.channel is channel
            ]
            world.change(notices=with_notices(world.book, tuple(cancelled)).notices)
        case _:
            ended = cancel_pending(world.book, world.now, "payment", Reason.PAYMENT_MADE, everything=True)
            world.change(notices=with_notices(world.book, ended).notices)


def bounce(world: World, channel: Channel) -> None:
    """The last notice on a channel comes back."""
    went = [notice for notice in world.book.notices if notice.channel is channel and notice.status in COUNTS_AS_SENT]
    if went:
        back = moved(went[-1], NoticeStatus.UNDELIVERABLE_PERMANENT, world.now, "provider")
        world.change(notices=with_notices(world.book, (back,)).notices)
        world.change_account(undeliverable=world.book.account.undeliverable | {channel})


class Watcher:
    """Looks at everything that goes and at every plan; `found` counts what there was to look at."""

    def __init__(self, world: World, found: Counter[str]) -> None:
        self.world, self.found = world, found
        self.seen = 0

    def look(self) -> None:
        self.plan_is_settled()
        for count, notice in enumerate(self.world.sent[self.seen :], start=self.seen):
            assert notice.sent_at is not None
            assert permitted(notice.sent_at, notice.channel, self.world.organization, self.world.book.account)
            self.only_one_that_day(notice, self.world.sent[:count])
            self.found["went"] += 1
            self.found["went after another"] += count > 0
        self.seen = len(self.world.sent)
        self.levels_rise()

    def plan_is_settled(self) -> None:
        world = self.world
        first = plan(world.book, world.organization, world.now)
        assert (first.next_planning_at is None) == bool(first.rest_reason)
        assert first.next_planning_at is None or first.next_planning_at > world.now
        after = with_notices(world.book, first.notices)
        again = plan(after, world.organization, world.now)
        assert again.notices == ()
        assert (again.next_planning_at, again.rest_reason) == (first.next_planning_at, first.rest_reason)
        planned = [notice for notice in first.notices if notice.status is NoticeStatus.SCHEDULED]
        assert len({notice.channel for notice in planned}) == len(planned)
        for notice in planned:
            if notice.scheduled_for > world.now:
                assert permitted(notice.scheduled_for, notice.channel, world.organization, world.book.account)
                self.would_send(notice.notice_id, replace(world, book=after))
                self.found["planned for later"] += 1

    def would_send(self, notice_id: str, world: World) -> None:
        """At its time, planned then as the scheduler does, the notice goes."""
        notice = next(notice for notice in world.book.notices if notice.notice_id == notice_id)
        verdict = judge(notice, world.book, world.organization, notice.scheduled_for)
        assert isinstance(verdict, Send), verdict
        assert (verdict.level, verdict.bills) == (notice.level, notice.bills)

    def only_one_that_day(self, notice: Notice, before: list[Notice]) -> None:
        zone = self.world.organization.zone
        days = {
            local_date(other.sent_at, zone) for other in before if other.channel is notice.channel and other.sent_at
        }
        assert notice.sent_at is not None
        assert local_date(notice.sent_at, zone) not in days

    def levels_rise(self) -> None:
        """But for what came back, which told nobody anything."""
        status = {row.notice_id: row.status for row in self.world.book.notices}
        reached = dict[tuple[str, str], int]()
        for notice in (sent for sent in self.world.sent if status[sent.notice_id] in COUNTS_AS_SENT):
            for entry in some(notice.bills):
                key = entry.statement_id, entry.aging_period
                assert entry.level >= reached.get(key, 0)
                reached[key] = entry.level


@pytest.mark.hypothesis
def test_a_history_keeps_every_promise() -> None:
    """Never two a day on a channel, levels only rise, instants permitted, plans settled, a next look or a reason."""
    seen = Counter[str]()

    @HISTORIES
    @given(worlds(), st.lists(EVENTS, max_size=12))
    def history(world: World, events: list[tuple[object, ...]]) -> None:
        watcher = Watcher(world, seen)
        watcher.look()
        for event in events:
            happen(world, event)
            world.sweep()
            watcher.look()
        world.run_until(world.now + timedelta(days=70))
        watcher.look()

    history()
    assert min(seen["went"], seen["went after another"], seen["planned for later"]) > 0


@pytest.mark.hypothesis
def test_a_late_run_sends_the_then_current_step_only() -> None:
    """However late, what goes is the step current on the day on which it goes, once a channel."""
    told = list[int]()

    @tried(plain=100, thorough=5_000)
    @given(worlds(), st.integers(1, 150), st.one_of(st.just(time(12, 30)), st.just(time(16)), st.times()))
    def late_run(world: World, days: int, clock: time) -> None:
        world.plan()
        world.now = datetime.combine(START + timedelta(days=days), clock, world.organization.zone)
        world.sweep()
        for notice in world.sent:
            assert notice.sent_at is not None
            situation = Situation(book=world.book, organization=world.organization, now=notice.sent_at)
            for entry in some(notice.bills):
                bill = world.book.bill(entry.statement_id)
                current = situation.step_of(bill, situation.today) if bill else None
                assert current is not None
                assert entry.level == current.level
                told.append(entry.level)
        assert len({notice.channel for notice in world.sent}) == len(world.sent)

    late_run()
    assert max(told) > 1


@pytest.mark.hypothesis
@pytest.mark.parametrize("event", ["zero", "hold", "opt out", "cancelled", "inactive"])
def test_what_forbids_a_notice_stops_it_from_that_moment(event: str) -> None:
    """After balance zero, a hold, an opt-out, a cancellation or an inactive organization nothing more goes."""
    would_go = list[Notice]()

    @tried(plain=20, thorough=2_000)
    @given(worlds(), st.integers(0, 60 * 24 * 30))
    def stopped(world: World, minutes: int) -> None:
        world.run_until(world.now + timedelta(minutes=minutes))
        world.sent.clear()
        if not would_go:
            undisturbed = copy(world)
            undisturbed.sent = would_go
            undisturbed.run_until(world.now + timedelta(days=100))
        forbid(world, event)
        world.run_until(world.now + timedelta(days=100))
        assert not [notice for notice in world.sent if event != "opt out" or notice.channel.electronic]

    stopped()
    assert would_go


def forbid(world: World, event: str) -> None:
    match event:
        case "zero":
            world.book = replace(world.book, bills=tuple(replace(bill, balance=0) for bill in world.book.bills))
        case "cancelled":
            gone = tuple(replace(bill, status=BillStatus.CANCELLED) for bill in world.book.bills)
            world.book = replace(world.book, bills=gone)
        case "hold":
            world.book = replace(world.book, account=replace(world.book.account, holds=frozenset(Hold)))
        case "inactive":
            world.organization = replace(world.organization, account_status=AccountStatus.SUSPENDED)
        case _:
            choice = OptOuts(email=True, sms=True)
            world.book = replace(world.book, account=replace(world.book.account, opt_outs=choice))
