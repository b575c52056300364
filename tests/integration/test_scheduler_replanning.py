"""The scheduler plans accounts anew when what they are planned by has changed: settings, or a partner's defaults."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.scheduler import inheritance, replanning
from shared.domain.records.book import Change
from shared.domain.records.inheritance import PartnerDefaults
from shared.domain.records.policy import DunningSettings
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.scheduler_stack import END_OF_DAY, Stack, scheduler_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 5
"""Bills that a replanning takes at once, in these tests."""


@pytest.fixture
def stack(dynamodb: "DynamoDBClient") -> Stack:
    return scheduler_stack(dynamodb)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replanning, "BILLS_A_PAGE", PAGE)


def settings_changed(stack: Stack, now: datetime = NOW) -> None:
    """Save the organization with other settings, and have its accounts planned again."""
    organizations = Organizations(stack.dynamodb, TABLE)
    current = organizations.get("org_1")
    assert current is not None
    paperless = replace(current.dunning, configuration_id="paperless-30")
    assert organizations.save(replace(current, dunning=paperless), replan_at=now)


def many_accounts(stack: Stack, count: int) -> list[str]:
    account_ids = [f"M-{n:03}" for n in range(count)]
    for account_id in account_ids:
        stack.books.commit(Change(account=account(account_id=account_id), bills=(bill(f"S-{account_id}"),)))
    return account_ids


@pytest.mark.usefixtures("small_pages")
def test_a_change_of_settings_replans_every_open_account_by_pages_in_the_background(stack: Stack) -> None:
    stack.sweep()
    account_ids = many_accounts(stack, 8)
    settings_changed(stack)
    report = stack.sweep()
    assert report.collected == 9
    assert {row.status for row in stack.notices().values() if row.channel is Channel.PRINT} == {NoticeStatus.CANCELLED}
    for account_id in some(account_ids):
        assert {row.channel for row in stack.book(account_id).notices} == {Channel.EMAIL, Channel.SMS}
    assert stack.sweep().collected == 0


@pytest.mark.usefixtures("small_pages")
def test_a_replanning_that_is_cut_off_goes_on_where_it_was(stack: Stack) -> None:
    account_ids = many_accounts(stack, 8)
    settings_changed(stack)
    first = stack.ports.replanning.advance("org_1", NOW)
    assert first == PAGE
    stack.sweep(time_is_up=lambda: True)
    stack.sweep()
    assert all(stack.book(account_id).notices for account_id in some(account_ids))


@pytest.mark.usefixtures("small_pages")
def test_settings_changed_during_a_replanning_begin_it_anew(stack: Stack) -> None:
    many_accounts(stack, 8)
    settings_changed(stack)
    job = stack.ports.replanning
    job.advance("org_1", NOW)
    settings_changed(stack)
    assert sum(job.advance("org_1", NOW) or 0 for _ in range(2)) == 9


def test_an_account_is_never_planned_by_settings_older_than_those_it_was_marked_for(stack: Stack) -> None:
    stack.sweep()
    settings_changed(stack)
    stack.ports.replanning.advance("org_1", NOW)
    stale = Organizations(stack.dynamodb, TABLE).get("org_1")
    assert stale is not None
    knows_the_old = {"org_1": replace(stale, version=1, dunning=organization().dunning)}
    stack.sweep(_known=knows_the_old)
    assert stack.notices()[Channel.PRINT].status is NoticeStatus.CANCELLED


def test_replanning_notifies_nobody_twice(stack: Stack) -> None:
    stack.sweep()
    stack.sweep(END_OF_DAY)
    before = stack.notices()
    settings_changed(stack, END_OF_DAY)
    stack.sweep(END_OF_DAY)
    assert {channel: row.status for channel, row in stack.notices().items()} == {
        channel: row.status for channel, row in before.items()
    }


def test_changed_defaults_of_a_partner_replan_the_accounts_of_its_organizations_in_one_sweep(stack: Stack) -> None:
    stack.sweep()
    paperless = DunningSettings(configuration_id="paperless-30")
    defaults = PartnerDefaults(partner_id="prt_1", dunning=paperless, overrides=frozenset({"configuration_id"}))
    assert PartnersDefaults(stack.dynamodb, TABLE).save(defaults, NOW)
    report = stack.sweep()
    assert report.collected == 1
    assert stack.notices()[Channel.PRINT].status is NoticeStatus.CANCELLED
    assert report.next_due_at != NOW


@pytest.mark.parametrize("undone_at", [NOW, END_OF_DAY], ids=["before anything went", "after the day's notices went"])
def test_a_partners_defaults_are_undone_by_setting_back_what_they_were(stack: Stack, undone_at: datetime) -> None:
    """As docs/runbook.md tells: what was kept from going is planned again, and nothing that went goes twice.

    A letter of a step that went electronically meanwhile isn't made up for.
    """
    stack.sweep()
    planned = {channel: (row.level, row.bills) for channel, row in stack.notices().items()}
    saved = PartnersDefaults(stack.dynamodb, TABLE)
    paperless = DunningSettings(configuration_id="paperless-30")
    wrong = replace(saved.get("prt_1"), dunning=paperless, overrides=frozenset({"configuration_id"}))
    assert saved.save(wrong, NOW)
    stack.sweep()
    stack.sweep(undone_at)
    before = stack.notices()
    assert before[Channel.PRINT].status is NoticeStatus.CANCELLED
    undone = replace(saved.get("prt_1"), dunning=DunningSettings(), overrides=frozenset())
    assert saved.save(undone, undone_at)
    for days in range(8):
        stack.sweep(undone_at + timedelta(days=days) if undone_at > NOW else undone_at)
    rows = stack.book().notices
    letters = [row for row in rows if row.channel is Channel.PRINT and row.status is not NoticeStatus.CANCELLED]
    made_up = [planned[Channel.PRINT]] if undone_at == NOW else []
    assert [(row.level, row.bills) for row in letters] == made_up
    electronic = [row for row in rows if row.channel is not Channel.PRINT]
    assert {row.notice_id for row in electronic} == {before[Channel.EMAIL].notice_id, before[Channel.SMS].notice_id}


def test_defaults_that_change_nothing_for_anybody_are_still_passed_on_to_the_last_organization(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inheritance, "ORGANIZATIONS_A_PAGE", 1)
    organizations = Organizations(stack.dynamodb, TABLE)
    for n in range(4):
        own = {"dunning_overrides": frozenset({"minimum_print"}), "org_id": f"org_own_{n}", "client_id": f"OWN-{n}"}
        organizations.create(organization(name=f"A {n}", **own))
    defaults = PartnerDefaults(
        partner_id="prt_1", dunning=DunningSettings(minimum_print=9_00), overrides=frozenset({"minimum_print"})
    )
    assert PartnersDefaults(stack.dynamodb, TABLE).save(defaults, NOW)
    stack.sweep()
    last = organizations.get("org_1")
    assert last is not None
    assert last.dunning.minimum_print == 9_00
