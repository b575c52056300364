"""The presets are sound, and are found by id and by text."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise

import pytest

from shared.domain.records import presets
from shared.domain.records.policy import DunningConfiguration
from shared.domain.records.presets import CONFIGURATIONS, UnknownConfigurationError, configuration, search
from shared.domain.vocabulary.words import Channel, NotificationType
from tests.worlds.bounds import some

REPEATED_LETTERS = [
    preset for preset in CONFIGURATIONS.values() if sum(Channel.PRINT in step.channels for step in preset.steps) > 1
]
EVERY = pytest.mark.parametrize("preset", CONFIGURATIONS.values(), ids=CONFIGURATIONS)


def test_five_presets_ship_in_the_order_they_are_shown() -> None:
    """Their ids are fixed: organizations store them."""
    assert list(CONFIGURATIONS) == ["standard-30", "paperless-30", "paper-30", "gentle-45", "text-first"]
    assert all(name == preset.configuration_id for name, preset in some(CONFIGURATIONS.items()))


def test_the_presets_are_built_of_their_table_the_same_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are built when the module is loaded, so loading it anew shows what building them does."""
    spec = spec_from_file_location(presets.__name__, presets.__file__)
    assert spec
    assert spec.loader
    anew = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, presets.__name__, anew)
    spec.loader.exec_module(anew)
    assert anew.CONFIGURATIONS == CONFIGURATIONS


@EVERY
def test_ages_rise_and_every_step_has_a_channel(preset: DunningConfiguration) -> None:
    """A level is a place in the list, so ages must rise strictly from the first day on."""
    ages = [step.bill_age for step in preset.steps]
    assert ages[0] == 0
    assert ages == sorted(set(ages))
    assert all(step.channels and len(set(step.channels)) == len(step.channels) for step in some(preset.steps))


@EVERY
def test_messages_sharpen_from_initial_to_final(preset: DunningConfiguration) -> None:
    """The first step is Initial, the last one and only it is Final, and none is milder than the one before."""
    order = list(NotificationType)
    kinds = [step.notification_type for step in preset.steps]
    assert kinds == sorted(kinds, key=order.index)
    assert kinds[0] is NotificationType.INITIAL
    assert kinds.index(NotificationType.FINAL) == len(kinds) - 1
    assert kinds.count(NotificationType.INITIAL) == 1


@EVERY
def test_a_step_lies_in_the_cycle_of_its_age(preset: DunningConfiguration) -> None:
    """A cycle is as long as the preset says."""
    for step in some(preset.steps):
        assert (step.cycle - 1) * preset.dunning_cycle_days <= step.bill_age < step.cycle * preset.dunning_cycle_days


@pytest.mark.parametrize("preset", REPEATED_LETTERS, ids=lambda preset: preset.configuration_id)
def test_a_letter_held_up_by_a_long_weekend_does_not_cost_the_next_one(preset: DunningConfiguration) -> None:
    """A letter may be four days late: a bill of a Friday evening, before a Monday that is a holiday."""
    ages = [step.bill_age for step in preset.steps if Channel.PRINT in step.channels]
    gaps = [later - earlier for earlier, later in pairwise(ages)]
    assert all(gap - 4 >= preset.paper_cycle_days for gap in some(gaps))
    assert preset.paper_cycle_days == preset.dunning_cycle_days - 5


@pytest.mark.parametrize(
    ("configuration_id", "channels"),
    [
        ("standard-30", {Channel.EMAIL, Channel.SMS, Channel.PRINT}),
        ("paperless-30", {Channel.EMAIL, Channel.SMS}),
        ("paper-30", {Channel.PRINT}),
        ("gentle-45", {Channel.EMAIL, Channel.PRINT}),
        ("text-first", {Channel.EMAIL, Channel.SMS, Channel.PRINT}),
    ],
)
def test_a_preset_uses_the_channels_its_name_says(configuration_id: str, channels: set[Channel]) -> None:
    """A paperless preset asks for no letter, a paper one for nothing else."""
    preset = configuration(configuration_id)
    assert {channel for step in preset.steps for channel in step.channels} == channels


def test_text_first_starts_with_a_text_and_ends_with_a_letter() -> None:
    """As its name says."""
    steps = configuration("text-first").steps
    assert steps[0].channels == (Channel.SMS,)
    assert steps[-1].channels == (Channel.PRINT,)
    assert [step.bill_age for step in steps] == [0, 10, 30, 60, 90]


def test_the_standard_preset_steps_every_thirty_days() -> None:
    """Initial at once, then at 30, 60 and 90 days."""
    preset = configuration("standard-30")
    assert [(step.bill_age, step.cycle) for step in preset.steps] == [(0, 1), (30, 2), (60, 3), (90, 4)]
    assert (preset.dunning_cycle_days, preset.paper_cycle_days) == (30, 25)


def test_an_unknown_id_is_an_error_that_names_it() -> None:
    """Settings are checked when saved, so that an engine that meets one says what is wrong."""
    with pytest.raises(UnknownConfigurationError, match="no dunning configuration has the id 'weekly'") as caught:
        configuration("weekly")
    assert caught.value.configuration_id == "weekly"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["standard-30", "paperless-30", "paper-30", "gentle-45", "text-first"]),
        (" PAPER only ", ["paper-30"]),
        ("-45", ["gentle-45"]),
        ("final letter", ["text-first"]),
        ("weekly", []),
    ],
)
def test_search_looks_in_ids_and_names_whatever_the_case(text: str, found: list[str]) -> None:
    """A person types a part of a word."""
    assert [preset.configuration_id for preset in search(text)] == found


def test_a_search_for_nothing_in_particular_finds_all() -> None:
    assert search() == tuple(CONFIGURATIONS.values())
