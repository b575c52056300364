"""What other settings would change over an open book: the same forecast twice, counted."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dunning import forecast
from shared.domain.dunning.simulation import Foreseen, Simulation, simulate
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import DunningSettings
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.vocabulary.words import NoticeStatus
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    INITIAL,
    MONDAY,
    PAST_DUE,
    PRINT,
    SMS,
    a_bill,
    a_book,
    a_guarantor,
    an_account,
    an_organization,
    at,
)
from tests.worlds.properties import tried

NOW = at("2026-01-05 08:00")
DAYS = timedelta(days=40)


def a_family(account_id: str, **bill: Any) -> AccountBook:
    return a_book(a_bill(**bill), account=an_account(account_id=account_id))


def simulated(*books: AccountBook, horizon: timedelta = DAYS, **proposed: Any) -> Simulation:
    return simulate(books, an_organization(), DunningSettings(**proposed), NOW, horizon)


def test_notices_are_counted_by_day_channel_level_and_type() -> None:
    found = simulated(a_family("acc_1"), a_family("acc_2"), configuration_id="paper-30")
    assert found.before == {Foreseen(date(2026, 1, 5), channel, 1, INITIAL): 2 for channel in (EMAIL, SMS, PRINT)} | {
        Foreseen(date(2026, 2, 4), channel, 2, DUE): 2 for channel in (EMAIL, SMS, PRINT)
    }
    assert found.after == {
        Foreseen(date(2026, 1, 5), PRINT, 1, INITIAL): 2,
        Foreseen(date(2026, 2, 4), PRINT, 2, DUE): 2,
    }


def test_the_difference_names_only_what_is_not_the_same_and_counts_what_is_lost_below_zero() -> None:
    found = simulated(a_family("acc_1"), configuration_id="text-first")
    assert found.difference == {
        Foreseen(date(2026, 1, 5), EMAIL, 1, INITIAL): -1,
        Foreseen(date(2026, 1, 5), PRINT, 1, INITIAL): -1,
        Foreseen(date(2026, 1, 15), EMAIL, 2, DUE): 1,
        Foreseen(date(2026, 1, 15), SMS, 2, DUE): 1,
        Foreseen(date(2026, 2, 4), EMAIL, 2, DUE): -1,
        Foreseen(date(2026, 2, 4), EMAIL, 3, PAST_DUE): 1,
        Foreseen(date(2026, 2, 4), PRINT, 2, DUE): -1,
        Foreseen(date(2026, 2, 4), SMS, 2, DUE): -1,
        Foreseen(date(2026, 2, 4), SMS, 3, PAST_DUE): 1,
    }


def test_the_same_settings_change_nothing() -> None:
    found = simulated(a_family("acc_1"))
    assert found.before == found.after
    assert (found.accounts, found.accounts_changed, found.difference) == (1, 0, {})


def test_accounts_are_counted_and_those_whose_notices_change() -> None:
    books = [a_family("acc_1", balance=50_00), a_family("acc_2", balance=5_00), a_family("acc_3", balance=3_00)]
    found = simulated(*books, minimum_electronic=5_00)
    assert (found.accounts, found.accounts_changed) == (3, 2)


def test_nothing_counts_beyond_the_horizon() -> None:
    found = simulated(a_family("acc_1"), horizon=timedelta(days=10))
    assert {kind.day for kind in found.before} == {date(2026, 1, 5)}


def test_days_are_those_of_the_organizations_calendar() -> None:
    organization = an_organization(time_zone="Pacific/Guam")
    found = simulate([a_family("acc_1")], organization, organization.dunning, NOW, timedelta(days=1))
    assert {kind.day for kind in found.before if kind.channel is EMAIL} == {date(2026, 1, 6)}


def test_books_are_asked_for_one_after_the_other() -> None:
    asked = list[int]()

    def books() -> Iterator[AccountBook]:
        for number in range(3):
            asked.append(number)
            yield a_family(f"acc_{number}")
            assert len(asked) == number + 1

    assert simulate(books(), an_organization(), DunningSettings(), NOW, timedelta(days=1)).accounts == 3


@tried(plain=25, thorough=1_000)
@given(
    st.builds(
        DunningSettings,
        configuration_id=st.sampled_from(sorted(CONFIGURATIONS)),
        minimum_print=st.sampled_from([0, 60_00]),
        no_dunning_limit=st.booleans(),
    ),
    st.integers(min_value=0, max_value=99),
)
def test_what_is_foreseen_with_proposed_settings_is_what_the_forecast_says_once_they_hold(
    chosen: DunningSettings, age: int
) -> None:
    book = a_book(a_bill(on=MONDAY - timedelta(days=age)), account=an_account(a_guarantor(mobile_phone="")))
    found = simulate([book], an_organization(), chosen, NOW, DAYS)
    sent = [
        (notice.sent_at.astimezone(an_organization().zone).date(), notice.channel, notice.level)
        for notice in forecast(book, an_organization(dunning=chosen), NOW, DAYS)
        if notice.status is NoticeStatus.SENT and notice.sent_at
    ]
    assert Counter((kind.day, kind.channel, kind.level) for kind in found.after.elements()) == Counter(sent)


@pytest.mark.parametrize("horizon", [0, 1, 90])
def test_an_empty_book_has_nothing_to_change(horizon: int) -> None:
    found = simulated(horizon=timedelta(days=horizon))
    assert found == Simulation()
