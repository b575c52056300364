"""Dunning settings are inherited: system → partner → organization (docs/rules.md#inherited-settings).

A setting is set or inherited whole, so that what is valid at its own level stays valid wherever it is inherited. An
organization keeps the settings in force with the names of those that it set itself, so that reading it is enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from shared.domain.records.policy import DunningConfiguration, DunningSettings, Organization
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.words import AccountStatus

SYSTEM = DunningSettings()

QUIET_HOURS = frozenset({"quiet_from", "quiet_until"})
"""Two names of what is one setting."""

CONFIGURATION = frozenset({"configuration_id", "own_configuration"})
"""Which configuration is chosen, and what it says where it is the partner's own: one setting too."""


class Source(StrEnum):
    """Where a setting comes from that isn't set where one looks."""

    SYSTEM = "system"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDefaults(StoredRecord):
    """What a partner's organizations inherit. overrides: the names of the settings that the partner set itself.

    account_status: the partner's own; it reaches its organizations in the same way.
    """

    partner_id: str
    dunning: DunningSettings = SYSTEM
    overrides: frozenset[str] = frozenset()
    account_status: AccountStatus = AccountStatus.ACTIVE
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSaid:
    """Of which settings somebody says something, by their names.

    named: they are to be set here. taken_back: they are to be inherited again. repeated: settings that go together and
    that came along, as they do when what was read is sent back: they stay inherited if they are as they were.
    """

    named: frozenset[str] = frozenset()
    taken_back: frozenset[str] = frozenset()
    repeated: tuple[frozenset[str], ...] = ()


def own_after(
    own: frozenset[str], said: SettingsSaid, before: DunningSettings, after: DunningSettings
) -> frozenset[str]:
    """The names of the settings that are set where they were `own`, after somebody said something of them."""

    def same(name: str) -> bool:
        return bool(getattr(before, name) == getattr(after, name))

    unchanged = (names for names in said.repeated if all(map(same, names)))
    return ((own - said.taken_back) | said.named).difference(*unchanged)


def overrides_of(organization: Organization) -> frozenset[str]:
    """The names of the settings that an organization set itself."""
    if organization.dunning_overrides is not None:
        return _whole(organization.dunning_overrides)
    names = (field.name for field in fields(DunningSettings))
    own = frozenset(name for name in names if getattr(organization.dunning, name) != getattr(SYSTEM, name))
    return _whole(own)


def _whole(names: frozenset[str]) -> frozenset[str]:
    """The names, each with those that go together with it."""
    return names.union(*(together for together in (QUIET_HOURS, CONFIGURATION) if together & names))


def inheriting(organization: Organization, defaults: PartnerDefaults) -> Organization:
    """The organization with its own settings in force, and for all the others what its partner's defaults say now."""
    own = overrides_of(organization)
    settings = replace(defaults.dunning, **{name: getattr(organization.dunning, name) for name in own})
    return replace(
        organization,
        dunning=settings,
        dunning_overrides=own,
        dunning_from_partner=defaults.overrides - own,
        partner_status=defaults.account_status,
    )


def planned_alike(one: Organization, other: Organization) -> bool:
    """Whether what two states of an organization inherit has its accounts planned alike."""
    return (one.dunning, one.partner_status) == (other.dunning, other.partner_status)


def with_latest(settings: DunningSettings, latest: DunningConfiguration | None) -> DunningSettings:
    """The settings with the latest version of the own configuration that they choose, if it is that one."""
    own = settings.own_configuration
    if own is None or latest is None or own.configuration_id != latest.configuration_id:
        return settings
    return replace(settings, own_configuration=latest)


def source_of(names: Iterable[str], own: frozenset[str], from_partner: frozenset[str]) -> Source | None:
    """Where settings that go together are inherited from; None: they are set here."""
    together = frozenset(names)
    if together & own:
        return None
    return Source.PARTNER if together & from_partner else Source.SYSTEM
