"""An organization is known for a minute by what was read of it, unless an account asks for later settings."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.domain.records.policy import Organization
from shared.sending.known_organizations import KNOWN_FOR, KnownOrganizations
from tests.worlds.examples import NOW, account, organization
from tests.worlds.sending_world import IDS, world

SECOND = timedelta(seconds=1)


@dataclass
class Stored:
    """The organizations of a table, and how often one was read."""

    there: dict[str, Organization] = field(default_factory=dict)
    reads: int = 0

    def get(self, org_id: str) -> Organization | None:
        self.reads += 1
        return self.there.get(org_id)


@pytest.fixture
def stored() -> Stored:
    return Stored({"org_1": organization(version=3)})


@pytest.mark.parametrize(
    ("later", "reads"), [(timedelta(0), 1), (KNOWN_FOR - SECOND, 1), (KNOWN_FOR, 2), (-SECOND, 2), (timedelta(9), 2)]
)
def test_an_organization_is_read_again_after_a_minute(stored: Stored, later: timedelta, reads: int) -> None:
    known = KnownOrganizations(stored)
    for now in (NOW, NOW + later):
        assert known.known("org_1", 0, now) == stored.there["org_1"]
    assert stored.reads == reads


def test_it_is_known_for_a_minute_since_it_was_read_however_often_it_is_asked_for(stored: Stored) -> None:
    known = KnownOrganizations(stored)
    for n in range(4):
        known.known("org_1", 0, NOW + n * KNOWN_FOR / 3)
    assert stored.reads == 2


def test_an_account_that_is_marked_for_later_settings_has_them_read(stored: Stored) -> None:
    known = KnownOrganizations(stored)
    known.known("org_1", 3, NOW)
    stored.there["org_1"] = organization(version=4)
    assert known.known("org_1", 3, NOW) == organization(version=3)
    assert known.known("org_1", 4, NOW) == organization(version=4)


def test_one_that_is_not_there_is_looked_for_again(stored: Stored) -> None:
    known = KnownOrganizations(stored)
    assert known.known("org_2", 0, NOW) is None
    stored.there["org_2"] = organization(org_id="org_2")
    assert known.known("org_2", 0, NOW) is not None


@pytest.mark.parametrize(("marked_for", "name"), [(3, "Northside Family Practice"), (4, "Southside")])
def test_a_notice_goes_by_the_settings_that_its_account_asks_for(stored: Stored, marked_for: int, name: str) -> None:
    known = KnownOrganizations(stored)
    known.known("org_1", 0, NOW)
    stored.there["org_1"] = organization(version=4, name="Southside")
    it = world(account=account(settings_version=marked_for))
    sender = it.sender()
    sender.known_organizations = known
    sender.deliver(*IDS, NOW)
    assert [order.organization.name for order in it.provider.orders] == [name]
