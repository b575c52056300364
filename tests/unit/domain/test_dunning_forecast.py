"""The forecast, and the simulation that is made of it, where rows were planned or tried before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.dunning import forecast, with_notices
from shared.domain.dunning.simulation import simulate
from shared.domain.records.notice import Notice, moved
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import OptOuts
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    INITIAL,
    MONDAY,
    S,
    World,
    a_bill,
    a_book,
    a_preset,
    an_account,
    an_organization,
    at,
    by_channel,
    levels,
)

NOW = at("2026-01-05 00:00")
DAY = timedelta(days=1)


def a_queued_email(**settings: Any) -> tuple[World, Notice]:
    """An account with one email on its way to the provider."""
    world = World(an_organization(**settings), a_book(), NOW)
    email = moved(by_channel(world.plan().notices)[EMAIL], S.QUEUED, NOW, "scheduler")
    world.change(notices=(email,))
    return world, email


@pytest.fixture
def _emails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of emails whose steps have templates of their own."""
    plain = a_preset((0, INITIAL, (EMAIL,)), (30, DUE, (EMAIL,)))
    steps = [replace(step, templates={EMAIL: f"T-{level}"}) for level, step in enumerate(plain.steps, start=1)]
    monkeypatch.setitem(CONFIGURATIONS, "tried", replace(plain, steps=tuple(steps)))


@pytest.mark.usefixtures("_emails")
def test_what_a_queued_notice_will_say_is_judged_for_its_moment() -> None:
    """It waited in the queue until the next step had come: type, level, bills and template are of that one."""
    world, queued = a_queued_email(configuration_id="tried")
    (foreseen,) = forecast(world.book, world.organization, at("2026-02-04 12:00"), DAY)
    assert foreseen.notice_id == queued.notice_id
    assert (foreseen.status, foreseen.sent_at) == (S.SENT, at("2026-02-04 12:00"))
    assert (foreseen.notification_type, foreseen.level, levels(foreseen)) == (DUE, 2, {"A": 2})
    assert foreseen.template_id == "T-2"


@pytest.mark.usefixtures("_emails")
def test_a_queued_notice_that_is_put_off_is_foreseen_to_take_up_what_comes_due_meanwhile() -> None:
    """It is Scheduled again, as its channel would leave it, and the plan of the next day consolidates."""
    world, queued = a_queued_email(configuration_id="tried")
    world.change(bills=(a_bill("A"), a_bill("B", on=MONDAY + DAY)))
    (foreseen,) = forecast(world.book, world.organization, at("2026-01-05 19:00"), 2 * DAY)
    assert (foreseen.notice_id, levels(foreseen)) == (queued.notice_id, {"A": 1, "B": 1})


def test_a_forecast_looks_up_to_and_including_its_last_instant() -> None:
    world, queued = a_queued_email(configuration_id="paperless-30")
    scheduled = replace(queued, status=S.SCHEDULED)
    book = with_notices(world.book, (scheduled,))
    until = scheduled.scheduled_for - NOW
    assert [row.channel for row in forecast(book, world.organization, NOW, until) if row.channel is EMAIL] == [EMAIL]
    assert not [
        row
        for row in forecast(book, world.organization, NOW, until - timedelta(seconds=1))
        if row.channel is EMAIL and row.status is S.SENT
    ]


def test_a_second_attempt_that_will_be_refused_is_no_notice_that_goes() -> None:
    """It was sent once and came back; staff had it tried again, and the guarantor has opted out since."""
    world, queued = a_queued_email(configuration_id="paperless-30")
    again = replace(queued, sent_at=NOW)
    closed = an_account(opt_outs=OptOuts(email=True, sms=True))
    book = replace(with_notices(world.book, (again,)), account=closed)
    (refused,) = [row for row in forecast(book, world.organization, NOW, DAY) if row.notice_id == queued.notice_id]
    assert (refused.sent_at, refused.reason) == (NOW, "opted out of email")
    found = simulate([book], world.organization, world.organization.dunning, NOW, DAY)
    assert found.before == {}
