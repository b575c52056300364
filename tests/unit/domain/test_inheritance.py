"""Dunning settings are inherited from system to partner to organization, each whole, and null gives one back."""

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.dunning import SETTINGS_OF, DunningAnswer, DunningBody, said_in, settings_after
from shared.domain.records.inheritance import SYSTEM, PartnerDefaults, Source, inheriting, overrides_of, own_after
from shared.domain.records.policy import DunningSettings, PaymentRule, SendWindow
from shared.domain.vocabulary.json_documents import Json
from shared.domain.vocabulary.words import BillAging, DunningReset
from tests.worlds.examples import organization


def defaults(**settings: Any) -> PartnerDefaults:
    return PartnerDefaults(partner_id="prt_1", dunning=DunningSettings(**settings), overrides=frozenset(settings))


def test_what_an_organization_did_not_set_comes_from_its_partner_and_else_from_the_system() -> None:
    practice = organization(dunning=DunningSettings(minimum_print=5_00), dunning_overrides=frozenset({"minimum_print"}))
    after = inheriting(practice, defaults(minimum_print=9_00, minimum_electronic=2_00))
    assert after.dunning == DunningSettings(minimum_print=5_00, minimum_electronic=2_00)
    assert after.dunning_overrides == frozenset({"minimum_print"})
    assert after.dunning_from_partner == {"minimum_electronic"}


def test_inheriting_twice_changes_nothing() -> None:
    once = inheriting(organization(), defaults(no_dunning_limit=True))
    assert inheriting(once, defaults(no_dunning_limit=True)) == once


def test_a_setting_that_the_partner_takes_back_is_the_systems_again() -> None:
    before = inheriting(organization(), defaults(no_dunning_limit=True))
    after = inheriting(before, defaults())
    assert after.dunning == SYSTEM
    assert after.dunning_from_partner == frozenset()


def test_an_organization_that_set_what_the_system_says_too_keeps_it() -> None:
    practice = organization(dunning_overrides=frozenset({"minimum_print"}))
    assert inheriting(practice, defaults(minimum_print=9_00)).dunning.minimum_print == 0


def test_settings_given_directly_count_as_the_organizations_own_where_they_differ_from_the_systems() -> None:
    practice = organization(dunning=DunningSettings(minimum_print=5_00, quiet_until=time(10)))
    assert overrides_of(practice) == {"minimum_print", "quiet_until", "quiet_from"}
    after = inheriting(practice, defaults(minimum_print=9_00, quiet_from=time(19)))
    assert after.dunning == practice.dunning


def test_every_setting_belongs_to_one_member_of_the_body() -> None:
    aliases = {field.alias for field in DunningBody.model_fields.values()}
    assert set(SETTINGS_OF) == aliases
    names = [name for each in SETTINGS_OF.values() for name in each]
    assert sorted(names) == sorted(field.name for field in fields(DunningSettings))


def test_an_answer_says_of_each_member_that_is_not_set_here_whose_it_is() -> None:
    practice = inheriting(
        organization(dunning=DunningSettings(minimum_print=5_00)),
        defaults(minimum_electronic=2_00, quiet_until=time(10), quiet_from=time(20)),
    )
    inherited = DunningAnswer.of_organization(practice).inherited
    assert "minimumPrint" not in inherited
    assert {member for member, source in inherited.items() if source is Source.PARTNER} == {
        "minimumElectronic",
        "quietHours",
    }
    assert inherited["billAging"] is Source.SYSTEM
    assert len(inherited) == len(SETTINGS_OF) - 1


OTHERWISE: dict[str, Any] = {
    "configuration_id": "text-first",
    "bill_aging": BillAging.BASED_ON_DUNNING_STATUS,
    "reset_fields": ("/totalBilled", "/guarantor/address"),
    "payment_rule": PaymentRule(minimum_percent=20, dunning_reset=DunningReset.MINUS_ONE),
    "send_window": SendWindow(opens=time(8), closes=time(12), business_days=frozenset({0, 5}), federal_holidays=False),
    "quiet_until": time(10),
    "quiet_from": time(18, 30),
    "drop_to_paper_after_undeliverable_days": 0,
}
"""Another value than the system's for every setting that is no switch and no plain number."""


# A configuration goes by its id (tests/integration/test_manage_cadences.py).
@pytest.mark.parametrize("name", [field.name for field in fields(DunningSettings) if field.name != "own_configuration"])
def test_every_setting_is_on_the_wire_and_comes_back_as_it_was(name: str) -> None:
    value = getattr(SYSTEM, name)
    other = OTHERWISE[name] if name in OTHERWISE else not value if isinstance(value, bool) else value + 1
    changed: dict[str, Any] = {name: other}
    settings = replace(SYSTEM, **changed)
    body = DunningBody.of(settings)
    assert body.domain() == settings != SYSTEM
    assert DunningBody.model_validate_json(body.model_dump_json(by_alias=True)).domain() == settings


def patched(
    settings: DunningSettings, own: frozenset[str], inherited: DunningSettings, patch: Json, kept: Collection[str] = ()
) -> tuple[DunningSettings, frozenset[str]]:
    """The settings in force after a merge patch, and the names of those that are set here."""
    after = settings_after(settings, inherited, patch)
    return after, own_after(own, said_in(patch, kept), settings, after)


def test_a_member_that_is_named_is_set_here_and_null_gives_it_back() -> None:
    below = DunningSettings(minimum_print=9_00)
    after, own = patched(below, frozenset(), below, {"minimumPrint": "9.00", "noDunningLimit": True})
    assert own == {"minimum_print", "no_dunning_limit"}
    assert (after.minimum_print, after.no_dunning_limit) == (9_00, True)
    given_back, left = patched(DunningSettings(minimum_print=5_00), own, below, {"minimumPrint": None})
    assert (given_back.minimum_print, left) == (9_00, frozenset({"no_dunning_limit"}))


def test_a_part_of_an_inherited_object_is_merged_into_it_and_the_whole_is_set_here() -> None:
    below = DunningSettings(quiet_until=time(10), quiet_from=time(19))
    after, own = patched(below, frozenset(), below, {"quietHours": {"starts": "18:00"}})
    assert (after.quiet_until, after.quiet_from) == (time(10), time(18))
    assert own == {"quiet_until", "quiet_from"}


def test_a_payment_rule_takes_the_place_of_an_inherited_one_whole() -> None:
    below = DunningSettings(payment_rule=PaymentRule(minimum_amount=25_00, dunning_reset=DunningReset.ZERO))
    after, _ = patched(below, frozenset(), below, {"paymentRule": {"minimumPercent": 10, "dunningReset": "MinusOne"}})
    assert after.payment_rule == PaymentRule(minimum_percent=10, dunning_reset=DunningReset.MINUS_ONE)
    back, own = patched(after, frozenset({"payment_rule"}), below, {"paymentRule": None})
    assert (back, own) == (below, frozenset())


def test_what_comes_back_unchanged_with_a_document_that_was_read_stays_inherited() -> None:
    below = DunningSettings(minimum_print=9_00)
    patch = {"minimumPrint": "9.00", "minimumElectronic": "1.00"}
    _, own = patched(below, frozenset(), below, patch, kept={"minimumPrint", "minimumElectronic"})
    assert own == {"minimum_electronic"}


@pytest.mark.parametrize("patch", [{"unknown": 1}, {"minimumPrint": "x"}, {"sendWindow": {"opens": "23:00"}}])
def test_what_is_wrong_is_refused(patch: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        patched(SYSTEM, frozenset(), SYSTEM, patch)
