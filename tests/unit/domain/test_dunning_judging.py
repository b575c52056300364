"""Judging again at the moment of sending."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.account.contacts import contact_for
from shared.domain.dunning import Reason, judge, with_notices
from shared.domain.dunning.decision import Defer, Refuse, Send, Verdict
from shared.domain.records.notice import BillLevel, Notice, moved
from shared.domain.records.policy import MessageContacts
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import BillTo, OptOuts, Patient
from shared.domain.vocabulary.words import (
    AccountStatus,
    BillStatus,
    Channel,
    CommunicationStatus,
    Hold,
    NotificationType,
)
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    FINAL,
    HOME,
    INITIAL,
    PRINT,
    SMS,
    S,
    World,
    a_bill,
    a_book,
    a_guarantor,
    a_preset,
    an_account,
    an_organization,
    at,
    by_channel,
)

NOW = at("2026-01-05 00:00")
NOON = at("2026-01-05 12:00")


def planned_world(**settings: Any) -> World:
    world = World(an_organization(**settings), a_book(), NOW)
    world.plan()
    world.now = NOON
    return world


def verdict(world: World, channel: Channel = EMAIL) -> Verdict:
    notice = next(n for n in world.book.notices if n.channel is channel and n.status in {S.SCHEDULED, S.QUEUED})
    return judge(notice, world.book, world.organization, world.now)


def sent(answer: Verdict) -> Send:
    assert isinstance(answer, Send)
    return answer


def test_a_notice_that_nothing_speaks_against_goes_with_its_message_and_contact() -> None:
    """As it was planned."""
    answer = sent(verdict(planned_world()))
    assert (answer.notification_type, answer.level, answer.template_id) == (INITIAL, 1, "<System Default>")
    assert answer.bills == (BillLevel(statement_id="A", aging_period="first", level=1),)
    assert (answer.contact.destination, answer.contact.name) == ("canary@example.org", "Canary Guarantor")


def test_a_verdict_shows_no_personal_data() -> None:
    """It may end in a log by mistake."""
    world = planned_world()
    shown = repr([verdict(world, channel) for channel in Channel])
    assert "anary" not in shown
    assert "5550100" not in shown


@pytest.mark.parametrize(
    ("account", "channel", "why"),
    [
        ({"holds": frozenset({Hold.DISPUTE, Hold.BANKRUPTCY})}, EMAIL, Reason.HOLD_DISPUTE),
        ({"opt_outs": OptOuts(email=True)}, EMAIL, Reason.OPTED_OUT_EMAIL),
        ({"opt_outs": OptOuts(sms=True)}, SMS, Reason.OPTED_OUT_SMS),
        ({"guarantor": a_guarantor(email="")}, EMAIL, Reason.NO_EMAIL),
        ({"guarantor": a_guarantor(mobile_phone="")}, SMS, Reason.NO_MOBILE),
        ({"guarantor": a_guarantor(address=None)}, PRINT, Reason.NO_ADDRESS),
        ({"undeliverable": frozenset({EMAIL})}, EMAIL, Reason.EMAIL_UNDELIVERABLE),
    ],
)
def test_what_became_of_the_account_is_looked_at_again(account: dict[str, Any], channel: Channel, why: Reason) -> None:
    """And refused with the reason."""
    world = planned_world()
    world.change_account(**account)
    assert verdict(world, channel) == Refuse(reason=why)


@pytest.mark.parametrize(
    ("bill", "why"),
    [
        ({"balance": 0}, Reason.BALANCE_ZERO),
        ({"status": BillStatus.PAID, "balance": 0}, Reason.PAYMENT_MADE),
        ({"status": BillStatus.CANCELLED}, Reason.BILL_CANCELLED),
        ({"status": BillStatus.SUSPENDED}, Reason.BILL_SUSPENDED),
        ({"balance": 5_00}, Reason.BELOW_MINIMUM),
        ({"aging_period": "second", "level_floor": 1}, Reason.STEP_ALREADY_SENT),
        ({"effective_created_date": NOON.date() + timedelta(days=1)}, Reason.STEP_ALREADY_SENT),
    ],
)
def test_what_became_of_the_bill_is_looked_at_again(bill: dict[str, Any], why: Reason) -> None:
    """A reminder after a payment is what people complain about most."""
    world = planned_world(minimum_electronic=5_00)
    world.change_bill("A", **bill)
    assert verdict(world) == Refuse(reason=why)


@pytest.mark.parametrize("standing", [AccountStatus.INACTIVE, AccountStatus.SUSPENDED, AccountStatus.ARCHIVED])
@pytest.mark.parametrize("kind", NotificationType)
def test_an_organization_that_is_not_active_sends_nothing_at_all(
    standing: AccountStatus, kind: NotificationType
) -> None:
    """The rule docs/rules.md#active-organization."""
    world = planned_world()
    notice = replace(by_channel(world.book.notices)[EMAIL], notification_type=kind)
    organization = replace(world.organization, account_status=standing)
    assert judge(notice, world.book, organization, NOON) == Refuse(reason=Reason.ORGANIZATION_NOT_ACTIVE)


def test_a_disabled_organizations_queue_still_goes() -> None:
    """The rule docs/rules.md#disabled-communications."""
    world = planned_world()
    world.organization = replace(world.organization, communication_status=CommunicationStatus.DISABLED)
    sent(verdict(world))


def test_the_step_of_the_moment_goes_if_it_uses_the_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it is refused: the plan sees to the channels of the new step."""
    preset = a_preset((0, INITIAL, (EMAIL, SMS)), (30, DUE, (EMAIL, PRINT)))
    monkeypatch.setitem(CONFIGURATIONS, "tried", preset)
    world = planned_world(configuration_id="tried")
    world.now = at("2026-02-04 12:00")
    answer = sent(verdict(world, EMAIL))
    assert (answer.notification_type, answer.level, answer.bills[0].level) == (DUE, 2, 2)
    assert verdict(world, SMS) == Refuse(reason=Reason.CHANNEL_NOT_IN_STEP)


def test_the_balance_of_the_moment_decides_which_bills_it_speaks_of() -> None:
    """One that was paid is left out, and doesn't lift the level."""
    world = World(an_organization(), a_book(a_bill("A", on=NOON.date() - timedelta(days=95)), a_bill("B")), NOW)
    world.plan()
    world.now = NOON
    assert sent(verdict(world)).level == 4
    world.change_bill("A", balance=0)
    answer = sent(verdict(world))
    assert (answer.level, answer.notification_type, [entry.statement_id for entry in answer.bills]) == (
        1,
        INITIAL,
        ["B"],
    )


def test_a_bill_that_came_since_waits_for_the_plan() -> None:
    """The plan sees to all the channels of its step, so the notice doesn't take it along on one of them."""
    world = planned_world()
    world.add(a_bill("B", on=NOON.date() - timedelta(days=95)))
    answer = sent(verdict(world))
    assert ([entry.statement_id for entry in answer.bills], answer.level) == (["A"], 1)


def test_the_other_channels_of_the_step_do_not_silence_this_one() -> None:
    """The email went; the text goes too."""
    world = planned_world()
    email = by_channel(world.book.notices)[EMAIL]
    world.change(notices=with_notices(world.book, (moved(email, S.SENT, NOON, "email", sent_at=NOON),)).notices)
    sent(verdict(world, SMS))


def another(world: World, status: S, **changes: Any) -> None:
    """Put a second email about the same bill beside the planned one."""
    email = by_channel(world.book.notices)[EMAIL]
    second: Notice = replace(email, notice_id="ntc_0", status=status, **changes)
    world.change(notices=(*world.book.notices, second))


@pytest.mark.parametrize("status", [S.SENT, S.DELIVERED, S.UNKNOWN, S.SENDING])
@pytest.mark.parametrize("minutes", [0, 1])
def test_a_step_told_of_on_this_channel_is_not_told_of_twice(status: S, minutes: int) -> None:
    """Whatever wrote the second row, and though its time was later."""
    world = planned_world()
    email = by_channel(world.book.notices)[EMAIL]
    another(world, status, sent_at=NOON, scheduled_for=email.scheduled_for + timedelta(minutes=minutes))
    assert verdict(world) == Refuse(reason=Reason.STEP_ALREADY_SENT)


@pytest.mark.parametrize("ahead", [True, False])
def test_of_two_queued_notices_one_goes_first_and_they_never_wait_for_each_other(ahead: bool) -> None:  # noqa: FBT001 - a table
    """The one whose time came first."""
    world = planned_world()
    step = timedelta(minutes=-1 if ahead else 1)
    email = by_channel(world.book.notices)[EMAIL]
    another(world, S.QUEUED, scheduled_for=email.scheduled_for + step)
    answer = judge(email, world.book, world.organization, NOON)
    assert isinstance(answer, Refuse if ahead else Send)


def test_a_day_on_which_another_notice_went_on_the_channel_is_used_up() -> None:
    """It waits for the next business day."""
    world = planned_world()
    another(world, S.UNDELIVERABLE_PERMANENT, sent_at=at("2026-01-05 10:00"))
    answer = verdict(world)
    assert isinstance(answer, Defer)
    assert answer.reason is Reason.SENT_TODAY
    assert at("2026-01-06 09:45") <= answer.until < at("2026-01-06 18:00")


@pytest.mark.parametrize(
    ("now", "channel", "earliest", "latest"),
    [
        ("2026-01-05 18:00", EMAIL, "2026-01-06 09:45", "2026-01-06 18:00"),
        ("2026-01-05 09:44", EMAIL, "2026-01-05 09:45", "2026-01-05 18:00"),
        ("2026-01-10 12:00", PRINT, "2026-01-12 09:45", "2026-01-12 18:00"),
        ("2026-01-19 12:00", EMAIL, "2026-01-20 09:45", "2026-01-20 18:00"),  # a holiday
        ("2026-01-05 11:00", SMS, "2026-01-05 12:00", "2026-01-05 18:00"),  # 8:00 in Los Angeles
    ],
)
def test_outside_its_hours_a_notice_is_put_off_into_the_next_window(
    now: str, channel: Channel, earliest: str, latest: str
) -> None:
    """Not refused: nothing is wrong with it."""
    world = planned_world()
    world.change_account(time_zones=("America/Los_Angeles",))
    world.now = at(now)
    answer = verdict(world, channel)
    assert isinstance(answer, Defer)
    assert answer.reason is Reason.OUTSIDE_HOURS
    assert at(earliest) <= answer.until < at(latest)


def test_a_text_that_no_hour_is_left_for_is_refused() -> None:
    """The recipient's zones changed since it was planned."""
    world = planned_world()
    world.change_account(time_zones=("Pacific/Honolulu", "Pacific/Guam"))
    assert verdict(world, SMS) == Refuse(reason=Reason.NO_PERMITTED_HOUR)


def test_a_letter_within_the_paper_cycle_is_refused() -> None:
    """Another letter went since it was planned."""
    world = planned_world()
    letter = by_channel(world.book.notices)[PRINT]
    other = replace(letter, notice_id="ntc_0", status=S.SENT, sent_at=NOW - timedelta(days=20), bills=())
    world.change(notices=(*world.book.notices, other))
    assert verdict(world, PRINT) == Refuse(reason=Reason.PAPER_CYCLE)
    world.change(notices=(*world.book.notices[:-1], replace(other, sent_at=NOW - timedelta(days=25))))
    sent(verdict(world, PRINT))


@pytest.mark.parametrize(
    ("status", "goes"),
    [(S.SENT, False), (S.SCHEDULED, False), (S.QUEUED, False), (S.UNDELIVERABLE_PERMANENT, True), (S.CANCELLED, True)],
)
def test_a_letter_yields_to_an_electronic_notice_that_tells_of_the_step(status: S, goes: bool) -> None:  # noqa: FBT001 - a table
    """*Skip paper* was switched on since it was planned."""
    world = planned_world()
    world.organization = an_organization(skip_paper_when_electronic_available=True)
    world.change(
        notices=tuple(
            notice if notice.channel is PRINT else replace(notice, status=status) for notice in world.book.notices
        )
    )
    answer = verdict(world, PRINT)
    assert isinstance(answer, Send) if goes else answer == Refuse(reason=Reason.ELECTRONIC_AVAILABLE)


# --- test mode -----------------------------------------------


def test_in_test_mode_everything_goes_to_the_test_contacts() -> None:
    """And what has no test contact goes to nobody."""
    world = planned_world()
    contacts = MessageContacts(email="test@example.org", mobile_phone="+12125550199", address=None)
    world.organization = an_organization(test_contacts=contacts)
    assert sent(verdict(world, EMAIL)).contact.destination == "test@example.org"
    assert sent(verdict(world, SMS)).contact.destination == "+12125550199"
    assert verdict(world, PRINT) == Refuse(reason=Reason.NO_TEST_CONTACT)
    elsewhere = replace(HOME, line1="2 Test Street")
    world.organization = an_organization(test_contacts=replace(contacts, address=elsewhere))
    assert sent(verdict(world, PRINT)).contact.address == elsewhere


def test_in_test_mode_a_recipient_without_an_address_is_refused_all_the_same() -> None:
    """So that a trial shows what would happen."""
    world = planned_world()
    world.organization = an_organization(test_contacts=MessageContacts(email="test@example.org"))
    world.change_account(guarantor=a_guarantor(email=""))
    assert verdict(world) == Refuse(reason=Reason.NO_EMAIL)


# --- notices that no step asked for -----------------------------------------------


def occasional(kind: NotificationType, channel: Channel = EMAIL, **changes: Any) -> Notice:
    facts: dict[str, Any] = {"notice_id": "ntc_1", "notification_type": kind, "level": 0, "template_id": "tpl_9"}
    return replace(by_channel(planned_world().book.notices)[channel], **facts | changes)


NIGHT = at("2026-01-04 23:00")
ON_DEMAND, LINK, RECEIPT = NotificationType.ON_DEMAND, NotificationType.PAYMENT_LINK, NotificationType.RECEIPT
STRICT = {"minimum_electronic": 90_00, "minimum_print": 90_00}


@pytest.mark.parametrize("kind", [kind for kind in NotificationType if not kind.dunning])
@pytest.mark.parametrize("channel", [EMAIL, PRINT])
def test_no_threshold_hold_or_hour_concerns_what_no_step_asked_for(kind: NotificationType, channel: Channel) -> None:
    """It is sent as soon as it can be, keeps its template, and raises no level."""
    book = a_book(account=an_account(holds=frozenset(Hold)))
    answer = sent(judge(occasional(kind, channel), book, an_organization(**STRICT), NIGHT))
    assert (answer.notification_type, answer.level, answer.template_id) == (kind, 0, "tpl_9")


def test_without_a_template_of_its_own_it_is_the_systems() -> None:
    """Staff need not choose one."""
    answer = sent(judge(occasional(ON_DEMAND, template_id=""), a_book(), an_organization(), NOON))
    assert answer.template_id == "<System Default>"


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (ON_DEMAND, {"status": BillStatus.PAID, "balance": 0}, Reason.PAYMENT_MADE),
        (LINK, {"balance": 0}, Reason.BALANCE_ZERO),
        (LINK, {"status": BillStatus.CANCELLED}, Reason.BILL_CANCELLED),
        (ON_DEMAND, {"status": BillStatus.SUSPENDED}, None),  # can still be paid
        (RECEIPT, {"status": BillStatus.PAID, "balance": 0}, None),
    ],
)
def test_nobody_is_asked_for_money_that_is_not_owed_any_more(
    kind: NotificationType, changes: dict[str, Any], why: Reason | None
) -> None:
    """A receipt asks for none."""
    answer = judge(occasional(kind), a_book(a_bill(**changes)), an_organization(), NOON)
    assert answer == Refuse(reason=why) if why else isinstance(answer, Send)


def test_a_notice_about_no_bill_or_an_unknown_one() -> None:
    """The first asks for nothing in particular; the second has lost what it was about."""
    sent(judge(occasional(ON_DEMAND, bills=()), a_book(), an_organization(), NOON))
    lost = a_book(a_bill("Z"))
    assert judge(occasional(ON_DEMAND), lost, an_organization(), NOON) == Refuse(reason=Reason.NO_OPEN_BILL)


@pytest.mark.parametrize(
    ("kind", "channel", "goes"),
    [
        (ON_DEMAND, EMAIL, False),
        (ON_DEMAND, SMS, False),
        (LINK, EMAIL, True),
        (LINK, SMS, False),
        (RECEIPT, EMAIL, True),
        (RECEIPT, SMS, False),
    ],
)
def test_an_opt_out_stops_texts_always_and_emails_that_nobody_asked_for(
    kind: NotificationType,
    channel: Channel,
    goes: bool,  # noqa: FBT001 - a table
) -> None:
    """A receipt answers a payment, a link a request."""
    book = a_book(account=an_account(opt_outs=OptOuts(email=True, sms=True)))
    answer = judge(occasional(kind, channel), book, an_organization(), NOON)
    why = Reason.OPTED_OUT_SMS if channel is SMS else Reason.OPTED_OUT_EMAIL
    assert isinstance(answer, Send) if goes else answer == Refuse(reason=why)


@pytest.mark.parametrize(
    ("kind", "now", "until"),
    [
        (ON_DEMAND, "2026-01-04 23:00", "2026-01-05 09:00"),
        (ON_DEMAND, "2026-01-04 12:00", None),  # a Sunday, but a waking hour
        (LINK, "2026-01-04 23:00", None),
    ],
)
def test_a_text_on_demand_keeps_to_the_quiet_hours(kind: NotificationType, now: str, until: str | None) -> None:
    """One that the recipient asked for just now doesn't."""
    answer = judge(occasional(kind, SMS), a_book(), an_organization(), at(now))
    expected = Defer(until=at(until), reason=Reason.OUTSIDE_HOURS) if until else None
    assert answer == expected if expected else isinstance(answer, Send)


def test_a_text_on_demand_to_nobody_is_refused_at_night_too() -> None:
    """Rather than put off, to be refused in the morning."""
    unreachable = a_book(account=an_account(guarantor=replace(an_account().guarantor, mobile_phone="")))
    answer = judge(occasional(ON_DEMAND, SMS), unreachable, an_organization(), NIGHT)
    assert isinstance(answer, Refuse)
    assert answer.reason is contact_for(SMS, unreachable, an_organization())


def test_a_text_on_demand_without_any_waking_hour_is_refused() -> None:
    """Rather than put off for ever."""
    organization = an_organization(quiet_until=NOON.time(), quiet_from=NOON.time())
    answer = judge(occasional(ON_DEMAND, SMS), a_book(), organization, NOON)
    assert answer == Refuse(reason=Reason.NO_PERMITTED_HOUR)


PATIENT = Patient(
    account_id="p1", first_name="Canary", last_name="Patient", email="patient@example.org", mobile_phone="+12125550111"
)
PAYER = BillTo(name="Canary Payer", email="payer@example.org", mobile_phone="+12125550122")


@pytest.mark.parametrize(
    ("send_to", "channel", "name", "destination"),
    [
        ("guarantor", EMAIL, "Canary Guarantor", "canary@example.org"),
        ("guarantor", SMS, "Canary Guarantor", "+12125550100"),
        ("patient", EMAIL, "Canary Patient", "patient@example.org"),
        ("patient", SMS, "Canary Patient", "+12125550111"),
        ("billTo", EMAIL, "Canary Payer", "payer@example.org"),
        ("billTo", SMS, "Canary Payer", "+12125550122"),
    ],
)
def test_a_notice_on_demand_goes_to_whom_staff_chose(
    send_to: str, channel: Channel, name: str, destination: str
) -> None:
    """The guarantor, the patient, or a third party who pays."""
    book = a_book(account=an_account(bill_to=PAYER))
    answer = sent(judge(occasional(ON_DEMAND, channel, send_to=send_to), book, an_organization(), NOON, PATIENT))
    assert (answer.contact.name, answer.contact.destination) == (name, destination)


@pytest.mark.parametrize(
    ("send_to", "channel", "why"),
    [
        ("billTo", EMAIL, Reason.NO_EMAIL),
        ("billTo", SMS, Reason.NO_MOBILE),
        ("billTo", PRINT, Reason.NO_ADDRESS),
        ("patient", EMAIL, Reason.NO_EMAIL),
    ],
)
def test_a_recipient_without_an_address_is_a_clear_refusal(send_to: str, channel: Channel, why: Reason) -> None:
    """Never a fall-back to somebody else."""
    nobody = replace(PATIENT, email="")
    assert contact_for(channel, a_book(), an_organization(), send_to, nobody) is why


def test_a_patients_letter_goes_to_the_household_and_a_missing_patient_to_nobody() -> None:
    """A patient has no mailing address of their own; an unknown one isn't replaced by the guarantor."""
    letter = contact_for(PRINT, a_book(), an_organization(), "patient", PATIENT)
    assert not isinstance(letter, Reason)
    assert (letter.name, letter.address) == ("Canary Patient", HOME)
    assert contact_for(EMAIL, a_book(), an_organization(), "patient", None) is Reason.NO_EMAIL


def test_final_notices_name_their_type() -> None:
    """At ninety days."""
    world = World(an_organization(), a_book(a_bill(on=NOON.date() - timedelta(days=90))), NOW)
    world.plan()
    world.now = NOON
    assert sent(verdict(world)).notification_type is FINAL


def test_what_staff_ask_for_goes_to_no_address_that_messages_came_back_from() -> None:
    """Staff read the reason in the queue."""
    book = a_book(account=an_account(undeliverable=frozenset({EMAIL})))
    verdict = judge(occasional(ON_DEMAND), book, an_organization(), NOON)
    assert verdict == Refuse(reason=Reason.EMAIL_UNDELIVERABLE)


def test_what_staff_ask_for_speaks_of_the_bills_that_they_chose() -> None:
    asked = occasional(ON_DEMAND)
    assert sent(judge(asked, a_book(), an_organization(), NOON)).bills == asked.bills != ()


def test_a_message_to_a_test_contact_names_the_guarantor_all_the_same() -> None:
    """So that the practice sees what the guarantor would have read."""
    organization = an_organization(test_contacts=MessageContacts(email="test@example.org"))
    contact = sent(verdict(planned_world(), EMAIL)).contact
    tested = sent(judge(occasional(ON_DEMAND), a_book(), organization, NOON)).contact
    assert (tested.name, tested.destination) == (contact.name, "test@example.org")


def test_a_notice_waits_for_another_day_beside_one_of_other_bills_that_is_being_sent() -> None:
    """One a day on a channel; nobody knows yet what becomes of the other."""
    world = planned_world(configuration_id="paperless-30")
    email = by_channel(world.book.notices)[EMAIL]
    another(world, S.SENDING, bills=(replace(email.bills[0], statement_id="B"),))
    answer = verdict(world)
    assert isinstance(answer, Defer)
    assert answer.reason is Reason.SENT_TODAY
    assert at("2026-01-06 09:45") <= answer.until < at("2026-01-06 18:00")
