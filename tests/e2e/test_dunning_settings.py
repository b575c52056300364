"""Each dunning setting and organization rule, changed through the API, and what it does to what is sent."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.bounds import some
from tests.worlds.practices import EVERYTHING, NEW_YORK, World, all_three, electronic, new_world, new_york, statement_of

pytestmark = pytest.mark.e2e

FIRST, THIRD, LAST = (date(2026, 3, 2), date(2026, 3, 5), date(2026, 4, 1))
"""Days 0, 3 and 30 of the bills; all are business days."""

BY_STATUS = {"billAging": "BasedOnDunningStatus"}
TEST_INBOX = "inbox@practice.example.com"
AT_LEAST_20 = {"minimumAmount": "20.00", "dunningReset": "Zero"}
AT_LEAST_HALF = {"minimumPercent": 50, "dunningReset": "MinusOne"}

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "paper": {"configurationId": "paper-30"},
    "electronic": {"minimumElectronic": "74.60", "minimumPrint": "74.59"},
    "print": {"minimumElectronic": "74.59", "minimumPrint": "74.60"},
    "aging": BY_STATUS,
    "update": {"communicationsOnBillUpdate": True},
    "reset": {"enableBillReset": True},
    "fields": {"resetOnFieldsChanging": True, "resetFields": ["/statementMessage"]},
    "drop": {**BY_STATUS, "configurationId": "paperless-30", "dropToPaperOnOptOut": True},
    "nodrop": {**BY_STATUS, "configurationId": "paperless-30"},
    "skip": {"skipPaperWhenElectronicAvailable": True},
    "zero": {**BY_STATUS, "paymentRule": AT_LEAST_20},
    "minusone": {**BY_STATUS, "paymentRule": AT_LEAST_HALF},
    "queued": {"paymentRule": AT_LEAST_20},
    "nolimit": {**BY_STATUS, "noDunningLimit": True},
    "limit": BY_STATUS,
    "due": {"daysUntilDue": 10},
    "ignore": {"daysToIgnoreAfterTransaction": 5},
    "window": {"sendWindow": {"opens": "15:00", "closes": "16:00"}},
    "weekend": {"sendWindow": {"businessDays": ["Saturday"]}},
    "quiet": {"quietHours": {"starts": "16:00", "ends": "15:00"}},
    "bounce": {"configurationId": "paperless-30", "dropToPaperOnOptOut": True, "optOutAfterUndeliverable": True},
    "disabled": {},
    "disabling": {},
    "suspended": {},
    "hold": {},
    "test": {},
}
"""By practice: what is changed of its dunning settings."""

ORGANIZATIONS: dict[str, dict[str, Any]] = {
    "disabled": {"communicationStatus": "Disabled"},
    "test": {"testContacts": {"email": TEST_INBOX}},
}
"""By practice: what is special about the organization itself."""

STATEMENTS: dict[str, dict[str, Any]] = {
    "plain": {"dunningStatus": "PastDue"},
    "aging": {"dunningStatus": "PastDue"},
    "zero": {"dunningStatus": "PastDue"},
    "minusone": {"dunningStatus": "PastDue"},
    "nolimit": {"dunningStatus": "Final"},
    "limit": {"dunningStatus": "Final"},
    "drop": {"dunningStatus": "Due", "electronicOptOut": True},
    "nodrop": {"dunningStatus": "Due", "electronicOptOut": True},
}
"""By practice: what is special about its statement."""

DONE_EARLY = ("update", "window", "weekend", "quiet", "drop", "nodrop", "ignore", "suspended", "due", "reset", "fields")
"""Practices whose reminders would only take time."""


def sent_statement(name: str, **members: Any) -> dict[str, Any]:
    """The statement of a practice's one family."""
    body = statement_of(name, **STATEMENTS.get(name, {}) | members)
    if name == "bounce":
        body["guarantor"] = {key: said for key, said in body["guarantor"].items() if key != "mobilePhone"}
    return body


def before_the_first_sending(world: World) -> None:
    """What is asked and changed while the first notices wait in the queue."""
    proposed = {"configurationId": "paper-30", "horizonDays": 7}
    asked = ("GET", "plain", "/dunning"), ("GET", "plain", "/notifications")
    world.seen["before"] = [world.ask(*one) for one in asked]
    world.seen["simulation"] = world.ask("POST", "plain", "/dunning/simulation", proposed)
    world.seen["after"] = [world.ask(*one) for one in asked]
    world.seen["explanation"] = world.ask("GET", "print", "/bills/{S}/explanation")
    world.pay("queued", "20.00")
    world.ask("PATCH", "disabling", "", {"communicationStatus": "Disabled"})
    world.ask("PATCH", "suspended", "", {"accountStatus": "Suspended"})
    world.ask("PATCH", "hold", "/accounts/{G}", {"holds": ["Dispute"]})


def after_the_first_sending(world: World) -> None:
    """Payments and a returned email on the evening of the first day."""
    for name in ("zero", "aging"):
        world.pay(name, "20.00")
    world.pay("minusone", "37.30")
    for name in ("ignore", "plain"):
        world.pay(name, "10.00")
    world.bounce("bounce")


def on_the_third_day(world: World) -> None:
    """Statements that update bills, and a hold that is lifted."""
    changed = {"totalBalance": "80.00", "statementDate": str(FIRST), "resetBill": True, "statementMessage": "New"}
    world.seen["results"] = world.send(
        sent_statement("plain", **changed),
        sent_statement("ignore", **changed),
        sent_statement("update", totalBalance="80.00"),
        sent_statement("reset", resetBill=True),
        sent_statement("fields", statementMessage="New"),
    )
    world.ask("PATCH", "hold", "/accounts/{G}", {"holds": []})


@pytest.fixture(scope="module")
def world(stack: LocalStack) -> Iterator[World]:
    """The month from March 2 to April 1, 2026."""
    with httpx.Client(base_url=stack.api_url, timeout=60) as client:
        world = new_world(stack, client, new_york(FIRST, 9))
        for name, settings in SETTINGS.items():
            world.orgs[name] = world.partner.organization(f"SET-{name.upper()}", **ORGANIZATIONS.get(name, {}))
            if settings:
                world.ask("PATCH", name, "/dunning", settings)
        world.send(*(sent_statement(name) for name in SETTINGS))
        world.at(FIRST, 9)
        before_the_first_sending(world)
        for hour, minute in ((15, 50), (17, 50)):
            world.at(FIRST, hour, minute)
        after_the_first_sending(world)
        world.at(THIRD, 9)
        on_the_third_day(world)
        world.at(THIRD, 17, 50)
        world.be_silent(DONE_EARLY)
        world.partner.now = new_york(LAST, 9)
        world.ask("PATCH", "disabled", "", {"communicationStatus": "Enabled"})
        world.at(LAST, 17, 50)
        yield world
        world.be_silent(world.orgs.keys() - DONE_EARLY)


def test_with_the_settings_of_a_new_organization_all_channels_go_every_thirty_days(world: World) -> None:
    assert world.went("plain") == {FIRST: all_three("Initial (1)"), LAST: all_three("Due (2)")}


def test_the_configuration_decides_on_the_channels(world: World) -> None:
    assert world.went("paper") == {FIRST: ["print: Initial (1)"], LAST: ["print: Due (2)"]}


def test_a_balance_equal_to_the_electronic_minimum_goes_by_letter_alone(world: World) -> None:
    assert world.went("electronic") == {FIRST: ["print: Initial (1)"], LAST: ["print: Due (2)"]}
    assert world.refused("electronic") == dict.fromkeys(("email", "sms"), "balance does not exceed the minimum")


def test_a_balance_equal_to_the_print_minimum_goes_without_a_letter(world: World) -> None:
    assert world.went("print") == {FIRST: electronic("Initial (1)"), LAST: electronic("Due (2)")}
    assert world.refused("print") == {"print": "balance does not exceed the minimum"}


def test_an_explanation_said_beforehand_what_then_happened(world: World) -> None:
    results = {
        finding["channel"]: finding["found"]
        for finding in world.seen["explanation"]["findings"]
        if finding["rule"] == "result"
    }
    assert results["print"] == "will not send: balance does not exceed the minimum"
    for notice in some(world.queue("print")):
        moment = datetime.fromisoformat(notice["scheduledFor"]).astimezone(NEW_YORK)
        if notice["sentAt"] and moment.date() == FIRST:
            assert results[notice["channel"]] == f"goes on {moment:%Y-%m-%d at %H:%M} at level 1, Initial"


def test_aging_based_on_the_dunning_status_begins_at_the_status_named(world: World) -> None:
    assert world.went("aging")[FIRST] == all_three("PastDue (3)")


def test_an_update_of_the_balance_sends_the_current_step_again_where_that_is_on(world: World) -> None:
    assert world.went("update")[THIRD] == electronic("Initial (1)")
    assert world.refused("update") == {"print": "paper cycle not over"}


@pytest.mark.parametrize("name", ["reset", "fields"])
def test_a_statement_that_may_reset_a_bill_starts_its_aging_anew(world: World, name: str) -> None:
    assert world.went(name) == {FIRST: all_three("Initial (1)"), THIRD: electronic("Initial (1)")}
    assert world.bill(name)["effectiveCreatedDate"] == str(THIRD)


def test_without_these_settings_an_update_changes_the_amount_alone(world: World) -> None:
    assert world.seen["results"]["S-PLAIN"] == "Updated"
    bill = world.bill("plain")
    assert (bill["balance"], bill["effectiveCreatedDate"]) == ("80.00", str(FIRST))


def test_a_reminder_drops_to_paper_on_opt_out_only_where_that_is_on(world: World) -> None:
    assert world.went("drop")[FIRST] == ["print: Due (2)"]
    assert world.went("nodrop") == {}


def test_paper_is_skipped_when_an_electronic_channel_goes(world: World) -> None:
    assert world.went("skip") == {FIRST: electronic("Initial (1)"), LAST: electronic("Due (2)")}
    assert world.refused("skip") == {"print": "electronic channel available"}


def test_a_payment_that_meets_the_rule_with_zero_ages_the_bill_as_if_new(world: World) -> None:
    assert world.went("zero") == {FIRST: all_three("PastDue (3)"), LAST: all_three("Due (2)")}


def test_a_payment_that_meets_the_rule_with_minus_one_repeats_the_step(world: World) -> None:
    assert world.went("minusone") == {FIRST: all_three("PastDue (3)"), LAST: all_three("PastDue (3)")}


def test_a_payment_without_a_rule_leaves_the_steps_alone(world: World) -> None:
    assert world.went("aging") == {FIRST: all_three("PastDue (3)"), LAST: all_three("Final (4)")}


def test_a_payment_that_meets_the_rule_stops_what_is_queued(world: World) -> None:
    assert world.refused("queued") == dict.fromkeys(EVERYTHING, "payment made")
    assert world.went("queued") == {LAST: all_three("Due (2)")}


def test_the_last_step_repeats_only_without_a_dunning_limit(world: World) -> None:
    assert world.went("nolimit") == dict.fromkeys((FIRST, LAST), all_three("Final (4)"))
    assert world.went("limit") == {FIRST: all_three("Final (4)")}


def test_days_until_due_decide_when_a_bill_is_past_due(world: World) -> None:
    assert [(bill["dueDate"], bill["pastDue"]) for bill in (world.bill("due"), world.bill("plain"))] == [
        ("2026-03-12", True),
        ("2026-04-01", False),
    ]


def test_a_statement_older_than_a_payment_is_ignored_for_the_days_set(world: World) -> None:
    assert world.seen["results"]["S-IGNORE"] == "Ignored"
    assert world.bill("ignore")["balance"] == "64.60"


@pytest.mark.parametrize(("name", "channels"), [("window", EVERYTHING), ("quiet", ["sms"])])
def test_notices_keep_to_the_send_window_and_texts_to_the_quiet_hours(
    world: World, name: str, channels: list[str]
) -> None:
    times = {
        notice["channel"]: datetime.fromisoformat(notice["sentAt"])
        for notice in world.queue(name)
        if notice["sentAt"] and notice["level"] == 1
    }
    assert sorted(times) == EVERYTHING
    for channel in some(channels):
        assert new_york(FIRST, 15) <= times[channel] < new_york(FIRST, 16)


def test_nothing_goes_on_a_day_that_is_no_business_day(world: World) -> None:
    days = {datetime.fromisoformat(notice["scheduledFor"]).date() for notice in world.queue("weekend")}
    assert {day.strftime("%A") for day in days} == {"Saturday"}


def test_an_email_that_came_back_for_good_opts_out_and_the_reminder_goes_by_letter(world: World) -> None:
    assert world.ask("GET", "bounce", "/accounts/{G}")["optOuts"]["email"] is True
    assert world.went("bounce") == {FIRST: ["email: Initial (1)"], LAST: ["print: Due (3)"]}


def test_switched_on_again_communications_go_on_at_the_current_step_without_a_back_fill(world: World) -> None:
    assert world.went("disabled") == {LAST: all_three("Due (2)")}


def test_what_is_queued_still_goes_when_communications_are_disabled_and_nothing_after_it(world: World) -> None:
    assert world.went("disabling") == {FIRST: all_three("Initial (1)")}


def test_a_suspended_organization_sends_nothing_that_is_queued(world: World) -> None:
    assert world.went("suspended") == {}
    assert world.refused("suspended") == dict.fromkeys(EVERYTHING, "organization is not active")


def test_a_hold_stops_what_is_queued_and_the_step_goes_when_it_is_lifted(world: World) -> None:
    assert world.went("hold") == {THIRD: all_three("Initial (1)"), LAST: all_three("Due (2)")}
    assert world.refused("hold") == dict.fromkeys(EVERYTHING, "on hold: Dispute")


def test_in_test_mode_everything_goes_to_the_test_contacts_alone(world: World) -> None:
    assert world.went("test") == {FIRST: ["email: Initial (1)"], LAST: ["email: Due (2)"]}
    assert world.refused("test") == dict.fromkeys(("print", "sms"), "no test contact for this channel")
    receivers = [address for mail in world.stack.sent_mail() for address in mail.to]
    assert receivers.count(TEST_INBOX) == 2
    assert "ada.s-test@example.com" not in receivers


def test_a_simulation_foresees_what_other_settings_would_send_and_changes_nothing(world: World) -> None:
    simulation = world.seen["simulation"]
    assert simulation["totals"] == {"before": 3, "after": 1, "difference": -2}
    assert {row["channel"] for row in simulation["difference"]} == {"email", "sms"}
    assert world.seen["before"] == world.seen["after"]


def test_an_organization_inherits_its_partners_defaults_until_it_sets_its_own(stack: LocalStack) -> None:
    with httpx.Client(base_url=stack.api_url, timeout=60) as client:
        world = new_world(stack, client, new_york(FIRST, 9))
        for name in ("heir", "own"):
            world.orgs[name] = world.partner.organization(f"SET-{name.upper()}")
        world.ask("PATCH", "own", "/dunning", {"configurationId": "text-first"})
        answer = world.partner.call("PATCH", "/v1/dunning-defaults", {"configurationId": "paper-30"})
        assert answer.status_code == 200, answer.text
        world.at(FIRST, 9)
        world.send(sent_statement("heir"), sent_statement("own"))
        world.at(FIRST, 17, 50)
        assert world.ask("GET", "heir", "/dunning")["inherited"]["configurationId"] == "partner"
        assert world.went("heir") == {FIRST: ["print: Initial (1)"]}
        assert world.went("own") == {FIRST: ["sms: Initial (1)"]}
        world.be_silent(world.orgs)
