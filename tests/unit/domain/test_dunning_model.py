"""A model of a practice over months: whatever happens, in whatever order, the promises of dunning hold.

Statements, payments, people, settings, clocks, runs and providers each do what they like (dunning_practice.py acts as
scheduler and channels). The checks stand on the data alone and on words of their own: they call the engine only to
compare it with itself. `make properties` plays ten thousand histories, a plain run of the tests a few.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared.domain.account.contacts import number_hash
from shared.domain.account.queue_actions import QueueAction
from shared.domain.account.reconciliation import possibly_sent
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.dunning import forecast, plan, with_notices
from shared.domain.dunning.decision import Plan, Rule, RuleOutcome, Send
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel, Notice
from shared.domain.records.policy import DunningConfiguration, Organization, PaymentRule, SendWindow
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import Guarantor, OptOuts
from shared.domain.texting.inbound_texts import TextMeaning
from shared.domain.vocabulary.words import (
    AccountStatus,
    AddressStatus,
    BillAging,
    BillStatus,
    BillType,
    Channel,
    CommunicationStatus,
    DunningReset,
    Hold,
    IngestionResult,
    NoticeStatus,
)
from tests.worlds.bounds import some
from tests.worlds.dunning_practice import QUEUE_LEASE, Practice, Weather, Went, a_statement
from tests.worlds.dunning_world import EMAIL, HOME, PRINT, SMS, a_guarantor, an_organization
from tests.worlds.properties import THOROUGH, tried

S = NoticeStatus
PENDING = {S.SCHEDULED, S.QUEUED}
WENT = {S.SENT, S.DELIVERED, S.UNKNOWN}


# --- what may be -----------------------------------------------

HOUSEHOLDS = st.sampled_from(["G-1", "G-2"])
STATEMENTS = st.sampled_from(["S-1", "S-2", "S-3"])
BALANCES = st.sampled_from([40_00, 100_00, 7_00, 60_00, 5_00, 3_00, 1, 0, -5_00])
ZONES = st.sampled_from(
    ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Guam", "America/Phoenix"]
)
OPT_OUTS = st.one_of(
    st.just(OptOuts()), st.builds(OptOuts, email=st.booleans(), sms=st.booleans(), print=st.booleans())
)
"""Here as below, what lets notices go comes more often than what stops them, so that there is something to look at."""

WINDOWS = st.builds(
    SendWindow,
    opens=st.sampled_from([time(9, 45), time(8), time(12)]),
    closes=st.sampled_from([time(18), time(13), time(21, 30)]),
    business_days=st.sampled_from([frozenset(range(5)), frozenset(range(7)), frozenset({2})]),
    federal_holidays=st.booleans(),
)
PAYMENT_RULES = st.one_of(
    st.none(),
    st.builds(
        PaymentRule,
        minimum_amount=st.sampled_from([None, 1_00, 3_00]),
        minimum_percent=st.sampled_from([None, 10, 50]),
        dunning_reset=st.sampled_from(DunningReset),
    ),
)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "configuration_id": st.sampled_from(sorted(CONFIGURATIONS)),
    "minimum_electronic": st.sampled_from([0, 0, 3_00, 5_00]),
    "minimum_print": st.sampled_from([0, 0, 5_00, 7_00]),
    "bill_aging": st.sampled_from(BillAging),
    "communications_on_bill_update": st.booleans(),
    "enable_bill_reset": st.booleans(),
    "reset_on_fields_changing": st.booleans(),
    "reset_fields": st.sampled_from([(), ("/statementMessage",), ("/totalBalance",)]),
    "drop_to_paper_on_opt_out": st.booleans(),
    "skip_paper_when_electronic_available": st.booleans(),
    "payment_rule": PAYMENT_RULES,
    "no_dunning_limit": st.booleans(),
    "days_to_ignore_after_transaction": st.sampled_from([0, 5]),
    "send_window": WINDOWS,
    "opt_out_after_undeliverable": st.booleans(),
    "drop_to_paper_after_undeliverable_days": st.sampled_from([None, 0, 3, 20]),
    "quiet_until": st.sampled_from([time(8), time(9), time(11)]),
    "quiet_from": st.sampled_from([time(20), time(21), time(15)]),
}
CHANGED_SETTING = st.one_of([st.tuples(st.just(name), values) for name, values in SETTINGS.items()])


PHONES = st.sampled_from(["+12125550100", "+12125550101"])
STRANGER = Guarantor(
    first_name="Stranger",
    last_name="Elsewhere",
    date_of_birth=date(1955, 5, 5),
    email="stranger@example.org",
    mobile_phone="+12125550109",
    address=replace(HOME, line1="99 Elsewhere Road", postal_code="10099"),
)
"""Nothing of whom agrees with the others' facts."""


@st.composite
def guarantors(draw: st.DrawFn, household: str) -> Guarantor:
    if draw(st.sampled_from([False, False, False, True])):
        return replace(STRANGER, guarantor_id=household)
    return a_guarantor(
        guarantor_id=household,
        email=draw(st.sampled_from(["canary@example.org", "canary@example.org", "other@example.org", ""])),
        mobile_phone=draw(st.sampled_from(["+12125550100", "+12125550100", "+12125550101", ""])),
        address=draw(st.sampled_from([HOME, HOME, None])),
        address_status=draw(st.sampled_from([None, AddressStatus.DELIVERABLE, AddressStatus.INVALID])),
    )


OFTEN_SEEN = {"something that waits", "a plan to come", "planned for later", "an explanation of what goes"}
SOMETIMES_SEEN = {"a step after a step", "an explanation of a refusal", "a letter after a letter"}
"""What there has to be to look at: in every run, and in a thorough one."""


class DunningModel(RuleBasedStateMachine):
    """A practice, and everything that may happen to it."""

    practice: Practice

    seen: ClassVar[Counter[str]] = Counter()
    """How often there was something to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.retried = set[str]()

    @initialize(
        dunning=st.fixed_dictionaries(SETTINGS),
        zone=ZONES,
        bill_type=st.sampled_from(BillType),
        clock=st.one_of(st.times(), st.just(time(8))),
        day=st.integers(0, 330),
    )
    def open(self, dunning: dict[str, Any], zone: str, bill_type: BillType, clock: time, day: int) -> None:
        organization = an_organization(time_zone=zone, bill_type=bill_type, **dunning)
        morning = datetime.combine(date(2026, 1, 2) + timedelta(days=day), clock, ZoneInfo(zone)).replace(microsecond=0)
        self.practice = Practice(
            organization=organization, now=morning, look_at_plan=self.look_at_plan, look_at_send=self.look_at_send
        )
        self.practice.statement(a_statement("S-1", a_guarantor(guarantor_id="G-1"), 40_00), bill_type)

    # --- statements and payments ---------------------------------------------------------------------------------

    @rule(
        statement_id=STATEMENTS,
        guarantor=HOUSEHOLDS.flatmap(guarantors),
        balance=BALANCES,
        dunning_status=st.sampled_from(["", "", "Initial", "Due", "PastDue", "Final", "2", "Nonsense"]),
        reset_bill=st.booleans(),
        opt_outs=st.one_of(st.none(), st.none(), OPT_OUTS),
        message=st.sampled_from(["", "please"]),
        dated=st.sampled_from([None, None, 0, 3]),
        zones=st.lists(ZONES, max_size=2, unique=True),
    )
    def statement(
        self, statement_id: str, guarantor: Guarantor, balance: int, dated: int | None, zones: list[str], **said: Any
    ) -> None:
        day = None if dated is None else self.practice.today - timedelta(days=dated)
        made = a_statement(statement_id, guarantor, balance, dated=day, **said)
        known = self.practice.books.get(guarantor.guarantor_id)
        received = self.practice.statement(made, self.practice.organization.bill_type, tuple(zones))
        another = known and known.account.guarantor.first_name != guarantor.first_name
        archived = self.practice.organization.account_status is AccountStatus.ARCHIVED
        assert (received.result is IngestionResult.FAILED) == bool(another or archived)
        if another:
            assert self.practice.books[guarantor.guarantor_id] is known

    @rule(
        household=HOUSEHOLDS,
        statement_id=st.sampled_from(["", "S-1", "S-2", "S-3"]),
        amount=st.sampled_from([1_00, 3_00, 5_00, 20_00, 100_00]),
    )
    def payment(self, household: str, statement_id: str, amount: int) -> None:
        if household in self.practice.books:
            self.practice.payment(household, amount, statement_id)

    @rule(
        household=HOUSEHOLDS,
        statement_id=st.sampled_from(["", "S-1", "S-2"]),
        amount=st.sampled_from([-1_00, -20_00]),
        method=st.sampled_from(["refund", "chargeback"]),
    )
    def money_goes_back(self, household: str, statement_id: str, amount: int, method: str) -> None:
        if household in self.practice.books:
            self.practice.payment(household, amount, statement_id, method)

    @rule(phone=PHONES, meaning=st.sampled_from([TextMeaning.STOP, TextMeaning.START, TextMeaning.START]))
    def number_says(self, phone: str, meaning: TextMeaning) -> None:
        self.practice.number_says(phone, meaning)

    # --- people --------------------------------------------------------------------------------------------------

    def change_account(self, household: str, **changes: Any) -> None:
        if household in self.practice.books:
            self.practice.change_account(household, lambda account: replace(account, **changes))

    @rule(household=HOUSEHOLDS, choice=OPT_OUTS)
    def opts_out_or_in(self, household: str, choice: OptOuts) -> None:
        self.change_account(household, opt_outs=choice)

    @rule(household=HOUSEHOLDS, holds=st.sampled_from([(), (), (), (Hold.DISPUTE,), (Hold.HARDSHIP,)]))
    def is_held_or_released(self, household: str, holds: tuple[Hold, ...]) -> None:
        self.change_account(household, holds=frozenset(holds))

    @rule(who=HOUSEHOLDS.flatmap(guarantors), zones=st.lists(ZONES, max_size=2, unique=True))
    def contact_is_corrected(self, who: Guarantor, zones: list[str]) -> None:
        known = self.practice.books.get(who.guarantor_id)
        if known is None or known.account.guarantor.first_name != who.first_name:
            return
        self.change_account(who.guarantor_id, guarantor=who, time_zones=tuple(zones), undeliverable=frozenset())

    @rule(household=HOUSEHOLDS, statement_id=STATEMENTS, status=st.sampled_from(BillStatus))
    def bill_status_is_set(self, household: str, statement_id: str, status: BillStatus) -> None:
        if household in self.practice.books and status is not BillStatus.PAID:
            self.practice.set_status(household, statement_id, status)

    @rule(household=HOUSEHOLDS, which=st.integers(0, 5), action=st.sampled_from(QueueAction), opt_out=st.booleans())
    def staff_acts_on_the_queue(self, household: str, which: int, action: QueueAction, *, opt_out: bool) -> None:
        if household in self.practice.books:
            notices = [
                notice for notice in self.practice.notices(household, *S) if notice.status not in WENT - {S.UNKNOWN}
            ]
            if notices:
                chosen = notices[-1 - which % len(notices)]
                done = self.practice.act(household, chosen.notice_id, action, opt_out=opt_out)
                if done and action is QueueAction.RETRY:
                    self.retried.add(chosen.notice_id)

    # --- the organization ----------------------------------------------------------------------------------------

    @rule(change=CHANGED_SETTING)
    def setting_is_changed(self, change: tuple[str, Any]) -> None:
        organization = self.practice.organization
        self.practice.configure(replace(organization, dunning=replace(organization.dunning, **dict([change]))))

    @rule(
        change=st.one_of(
            st.tuples(st.just("time_zone"), ZONES),
            st.tuples(
                st.just("communication_status"), st.sampled_from([*CommunicationStatus, CommunicationStatus.ENABLED])
            ),
            st.tuples(st.just("account_status"), st.sampled_from([*AccountStatus, *[AccountStatus.ACTIVE] * 4])),
            st.tuples(st.just("bill_type"), st.sampled_from(BillType)),
        )
    )
    def organization_is_changed(self, change: tuple[str, Any]) -> None:
        self.practice.configure(replace(self.practice.organization, **dict([change])))

    # --- time, and those who work with it ------------------------------------------------------------------------

    @rule(minutes=st.one_of(st.integers(1, 60 * 24), st.integers(1, 60 * 24 * 40)))
    def runs_are_skipped(self, minutes: int) -> None:
        self.practice.now += timedelta(minutes=minutes)

    @rule()
    def scheduler_runs(self) -> None:
        self.practice.run()

    @rule()
    def scheduler_queues_and_the_channels_are_slow(self) -> None:
        self.practice.sweep()

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        self.practice.run_until(self.practice.now + timedelta(days=days))

    @rule(days=st.integers(6, 40))
    def weeks_pass(self, days: int) -> None:
        self.practice.run_until(self.practice.now + timedelta(days=days))

    @rule(days=st.sampled_from([30, 15, 45]))
    def a_cycle_passes(self, days: int) -> None:
        self.practice.run_until(self.practice.now + timedelta(days=days))

    @rule(days=st.integers(1, 60))
    def nothing_happens_and_the_forecast_comes_true(self, days: int) -> None:
        practice = self.practice
        practice.weather = dict.fromkeys(Channel, Weather.FINE)
        practice.run_until(practice.now + QUEUE_LEASE)  # until nothing is under way any more
        for book in self.books():  # nor to be sent once more
            for notice in filter(possibly_sent, book.notices):
                practice.event(book.account.account_id, notice.notice_id, DeliveryOutcome.DELIVERED)
        practice.configure(practice.organization)  # what was put off meanwhile is planned together with the rest
        for account_id in practice.books:
            practice.heeds_stops(account_id)  # as the forecast looks under the number, too
        practice.run()
        before, days_ahead = len(practice.went), timedelta(days=days)
        foreseen = [
            (book.account.account_id, notice.channel, notice.sent_at, notice.level, notice.bills)
            for book in practice.books.values()
            for notice in forecast(book, practice.organization, practice.now, days_ahead)
            if notice.status is S.SENT
        ]
        practice.run_until(practice.now + days_ahead)
        came = [(went.account_id, went.channel, went.at, went.level, went.bills) for went in practice.went[before:]]
        assert sorted(came, key=str) == sorted(foreseen, key=str), (came, foreseen)

    @rule(channel=st.sampled_from(Channel), weather=st.sampled_from([*[Weather.FINE] * 5, *Weather]))
    def provider_changes_its_ways(self, channel: Channel, weather: Weather) -> None:
        self.practice.weather[channel] = weather

    @rule(household=HOUSEHOLDS, which=st.integers(0, 5), word=st.sampled_from(DeliveryOutcome))
    def provider_tells(self, household: str, which: int, word: DeliveryOutcome) -> None:
        """Only a text's provider drops what it took."""
        if household in self.practice.books:
            channels = {SMS} if word is DeliveryOutcome.DROPPED else set(Channel)
            went = self.practice.notices(household, *WENT, S.SENDING)
            if notices := [notice for notice in went if notice.channel in channels]:
                self.practice.event(household, notices[-1 - which % len(notices)].notice_id, word)

    # --- at the moment of sending --------------------------------------------------------------------------------

    def look_at_send(self, book: AccountBook, notice: Notice, verdict: Send) -> None:
        practice = self.practice
        account, organization = book.account, practice.organization
        assert organization.account_status is AccountStatus.ACTIVE
        assert not account.holds
        assert not is_opted_out(account, notice.channel)
        if notice.channel is SMS:
            said = practice.stops.get(number_hash(verdict.contact.destination))
            assert said is None or not said.stopped
        assert inside_every_window(practice.now, notice.channel, organization, account)
        assert verdict.level == max(entry.level for entry in verdict.bills)
        for entry in some(verdict.bills):
            bill = book.bill(entry.statement_id)
            assert bill is not None
            assert bill.status is BillStatus.DUE
            assert bill.balance > minimum_of(organization, notice.channel)
            assert entry.level == level_of(bill, practice)
            self.is_news(book, notice, bill, entry)
        self.is_the_only_one_that_day(account.account_id, notice)
        if notice.channel is PRINT:
            self.keeps_the_paper_cycle(account.account_id, notice)

    def others(self, account_id: str, notice: Notice) -> Iterator[Went]:
        """What went on the channel before, but for the notice itself, which staff may have sent once more."""
        for went in self.practice.went:
            same_row = went.notice_id == notice.notice_id
            if went.account_id == account_id and went.channel is notice.channel and not same_row:
                yield went

    def is_the_only_one_that_day(self, account_id: str, notice: Notice) -> None:
        zone = self.practice.organization.zone
        days = {went.at.astimezone(zone).date() for went in self.others(account_id, notice)}
        assert self.practice.today not in days

    def keeps_the_paper_cycle(self, account_id: str, notice: Notice) -> None:
        zone = self.practice.organization.zone
        cycle = timedelta(days=preset(self.practice).paper_cycle_days)
        for went in self.others(account_id, notice):
            assert went.at.astimezone(zone).date() + cycle <= self.practice.today
            DunningModel.seen["a letter after a letter"] += 1

    def others_to_the_person(self, account: Account, notice: Notice) -> Iterator[Went]:
        """What went on the channel to the same person, under whichever key, but for the notice itself."""
        yield from self.others(account.account_id, notice)
        for went in self.practice.went:
            elsewhere = went.account_id != account.account_id
            if elsewhere and went.channel is notice.channel and went.name == account.guarantor.first_name:
                yield went

    def is_news(self, book: AccountBook, notice: Notice, bill: Bill, entry: BillLevel) -> None:
        """Within an aging period levels only rise, and no channel says the same step twice; an update renews both."""
        status = {row.notice_id: row.status for each in self.books() for row in each.notices}
        zone = self.practice.organization.zone
        for went in self.others_to_the_person(book.account, notice):
            if status[went.notice_id] not in WENT or (bill.renotify_at and went.at < bill.renotify_at):
                continue
            for said in some(went.bills):
                if said.statement_id in bill.statement_ids and said.aging_period == entry.aging_period:
                    came_round = round_of(bill, self.practice)
                    assert said.level < entry.level or (
                        said.level == entry.level and came_round and went.at.astimezone(zone).date() < came_round
                    )
                    DunningModel.seen["a step after a step"] += 1

    # --- after each plan -----------------------------------------------------------------------------------------

    def look_at_plan(self, before: AccountBook, after: AccountBook, planned: Plan) -> None:
        organization, now = self.practice.organization, self.practice.now
        assert (planned.next_planning_at is None) == bool(planned.rest_reason)
        assert planned.next_planning_at is None or planned.next_planning_at > now
        for notice in planned.notices:
            if notice.status is S.SCHEDULED and notice.scheduled_for > now:
                assert inside_every_window(notice.scheduled_for, notice.channel, organization, after.account)
                DunningModel.seen["planned for later"] += 1
        waiting = [notice for notice in after.notices if is_planned(notice)]
        assert len({notice.channel for notice in waiting}) == len(waiting)
        again = plan(after, organization, now)
        assert again.notices == ()
        assert (again.next_planning_at, again.rest_reason) == (planned.next_planning_at, planned.rest_reason)
        self.explanation_agrees(after, planned)

    def explanation_agrees(self, after: AccountBook, planned: Plan) -> None:
        """One result for each bill and channel: what goes is what is scheduled, and what was refused says why."""
        scheduled = {
            (entry.statement_id, notice.channel): notice
            for notice in after.notices
            if is_planned(notice)
            for entry in notice.bills
        }
        results = {
            (entry.statement_id, entry.channel): entry for entry in planned.findings if entry.rule is Rule.RESULT
        }
        assert set(results) == {(bill.statement_id, channel) for bill in after.bills for channel in Channel}
        assert len([entry for entry in planned.findings if entry.rule is Rule.RESULT]) == len(results)
        assert {key for key, entry in results.items() if entry.outcome is RuleOutcome.GOES} == set(scheduled)
        for (statement_id, channel), notice in scheduled.items():
            when = notice.scheduled_for.astimezone(self.practice.organization.zone)
            assert results[statement_id, channel].found == (
                f"goes on {when:%Y-%m-%d} at {when:%H:%M} at level {notice.level}, {notice.notification_type}"
            )
            looked_at = [
                entry
                for entry in planned.findings
                if (entry.statement_id, entry.channel) == (statement_id, channel)
                and entry.rule not in {Rule.ALREADY_SENT, Rule.CHANNELS}  # of today's step, not the next one's
            ]
            assert {entry.outcome for entry in looked_at} == {RuleOutcome.PASSES, RuleOutcome.GOES}
            DunningModel.seen["an explanation of what goes"] += 1
        for notice in planned.notices:
            if notice.status is S.WILL_NOT_SEND:
                told = {results[statement_id, notice.channel].found for statement_id in notice.statement_ids}
                assert f"will not send: {notice.reason}" in told
                DunningModel.seen["an explanation of a refusal"] += 1

    # --- at any time ---------------------------------------------------------------------------------------------

    @invariant()
    def what_is_pending_has_a_cause(self) -> None:
        """From the moment of a hold, an opt-out or the last bill's end nothing waits any more.

        But for what staff had tried again: that is judged when it is sent, as look_at_send sees.
        """
        for book in self.books():
            for notice in book.notices:
                if notice.status in PENDING and notice.notice_id not in self.retried:
                    bills = [book.bill(statement_id) for statement_id in notice.statement_ids]
                    assert not book.account.holds
                    assert not is_opted_out(book.account, notice.channel)
                    assert any(bill and bill.status is BillStatus.DUE and bill.balance > 0 for bill in bills)
                    DunningModel.seen["something that waits"] += 1

    @invariant()
    def money_counts_once(self) -> None:
        """Wherever bills go: what came in is what stands in all ledgers, on bills or as credit."""
        payments = [payment for book in self.books() for payment in book.payments]
        if self.books():
            assert sum(payment.amount for payment in payments) == self.practice.received
        paid = sum(bill.paid for book in self.books() for bill in book.bills)
        assert sum(share.amount for payment in payments for share in payment.allocations) == paid
        assert sum(payment.credit for payment in payments) == sum(book.account.credit for book in self.books())

    @invariant()
    def a_statement_has_one_bill(self) -> None:
        """Whoever it is for: no two accounts are asked for the same."""
        active = [
            bill.statement_id
            for book in self.books()
            for bill in book.bills
            if bill.status in {BillStatus.DUE, BillStatus.SUSPENDED}
        ]
        assert len(active) == len(set(active))

    @invariant()
    def a_run_now_would_change_nothing_but_once(self) -> None:
        """No account is lost: one that waits has nothing to be planned sooner. And twice is no more than once.

        A row that is due already is judged with every bill when it goes, whatever it was planned for.
        """
        for book in self.books():
            planned = plan(book, self.practice.organization, self.practice.now)
            planning_at = book.account.planning_at
            waiting = [notice for notice in book.notices if notice.status is S.SCHEDULED]
            spoken_of = {statement_id for notice in waiting for statement_id in notice.statement_ids}
            goes_now = {notice.notice_id for notice in waiting if notice.scheduled_for <= self.practice.now}
            for notice in planned.notices:
                new = notice.notice_id not in goes_now and not spoken_of.issuperset(notice.statement_ids)
                if notice.status is S.SCHEDULED and new:
                    assert planning_at is not None
                    assert planning_at <= max(self.practice.now, notice.scheduled_for)
                    DunningModel.seen["a plan to come"] += 1
            if planned.notices:
                after = with_notices(book, planned.notices)
                assert plan(after, self.practice.organization, self.practice.now).notices == ()

    def books(self) -> list[AccountBook]:
        return list(self.practice.books.values()) if hasattr(self, "practice") else []


# --- the same rules in other words -----------------------------------------------


def is_planned(notice: Notice) -> bool:
    """It waits for its time; one to be sent once more, of which nobody knows whether it went, is on its way instead."""
    return notice.status is S.SCHEDULED and notice.notification_type.dunning and not possibly_sent(notice)


def preset(practice: Practice) -> DunningConfiguration:
    return CONFIGURATIONS[practice.organization.dunning.configuration_id]


def level_of(bill: Bill, practice: Practice) -> int:
    """The level of the step whose age came last."""
    age = (practice.today - bill.effective_created_date).days
    return max(level for level, step in enumerate(preset(practice).steps, start=1) if step.bill_age <= age)


def round_of(bill: Bill, practice: Practice) -> date | None:
    """The day on which the last step came round again, without a dunning limit; None: it didn't."""
    chosen = preset(practice)
    last = bill.effective_created_date + timedelta(days=chosen.steps[-1].bill_age)
    rounds = (practice.today - last).days // chosen.dunning_cycle_days
    if not practice.organization.dunning.no_dunning_limit or rounds < 1:
        return None
    return last + timedelta(days=rounds * chosen.dunning_cycle_days)


def minimum_of(organization: Organization, channel: Channel) -> int:
    return organization.dunning.minimum_print if channel is PRINT else organization.dunning.minimum_electronic


def is_opted_out(account: Account, channel: Channel) -> bool:
    """A letter still goes where everything is closed, be it by a STOP."""
    choice = account.opt_outs
    no_texts = choice.sms or number_hash(account.guarantor.mobile_phone) in account.stopped_numbers
    if channel is PRINT:
        return choice.print and not (choice.email and no_texts)
    return choice.email if channel is EMAIL else no_texts


def inside_every_window(instant: datetime, channel: Channel, organization: Organization, account: Account) -> bool:
    """Clocks on the wall: the organization's for all, and for a text those of the recipient too."""
    here, window = instant.astimezone(organization.zone), organization.dunning.send_window
    closed = window.federal_holidays and here.date() in FEDERAL_HOLIDAYS
    office = window.opens <= here.time() < window.closes and here.weekday() in window.business_days and not closed
    if channel is not SMS:
        return office
    clocks = [instant.astimezone(ZoneInfo(name)).time() for name in account.time_zones or (organization.time_zone,)]
    quiet = organization.dunning
    return office and all(quiet.quiet_until <= clock < quiet.quiet_from for clock in clocks)


FEDERAL_HOLIDAYS = country_holidays("US", years=range(2025, 2036))


@pytest.mark.hypothesis
def test_histories_of_a_practice_keep_what_dunning_promises() -> None:
    run_state_machine_as_test(DunningModel, settings=tried(plain=30, thorough=10_000, steps=40 if THOROUGH else 25))
    assert (SOMETIMES_SEEN | OFTEN_SEEN if THOROUGH else OFTEN_SEEN) <= set(DunningModel.seen)
