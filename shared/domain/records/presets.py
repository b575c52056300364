"""The dunning configurations that every organization can choose from: policy as data."""

from collections.abc import Iterable

from shared.domain.records.cadences import on_ages
from shared.domain.records.policy import DunningConfiguration, DunningSettings, Step
from shared.domain.vocabulary.words import Channel, NotificationType

EMAIL, SMS, PRINT = Channel.EMAIL, Channel.SMS, Channel.PRINT
INITIAL, DUE = NotificationType.INITIAL, NotificationType.DUE
PAST_DUE, FINAL = NotificationType.PAST_DUE, NotificationType.FINAL


class UnknownConfigurationError(LookupError):
    """No dunning configuration has this id."""

    def __init__(self, configuration_id: str) -> None:
        super().__init__(f"no dunning configuration has the id {configuration_id!r}")
        self.configuration_id = configuration_id


def _preset(
    configuration_id: str,
    name: str,
    days: tuple[int, int],
    *rows: tuple[int, NotificationType, tuple[Channel, ...]],
) -> DunningConfiguration:
    """Build a preset of (dunning cycle, paper cycle) days; the age of a step says which cycle it is in."""
    cycle_days, paper_days = days
    return DunningConfiguration(
        configuration_id=configuration_id,
        name=name,
        dunning_cycle_days=cycle_days,
        paper_cycle_days=paper_days,
        steps=tuple(
            Step(bill_age=age, notification_type=kind, channels=channels, cycle=age // cycle_days + 1)
            for age, kind, channels in rows
        ),
    )


# A paper cycle is five days shorter than the dunning cycle: a letter that a long weekend held up by four days must not
# cost the guarantor the next one, which isn't made up for (docs/rules.md#paper-cycle-alone).
_PRESETS = (
    _preset(
        "standard-30",
        "Standard 30-day: email, text and paper",
        (30, 25),
        (0, INITIAL, (EMAIL, SMS, PRINT)),
        (30, DUE, (EMAIL, SMS, PRINT)),
        (60, PAST_DUE, (EMAIL, SMS, PRINT)),
        (90, FINAL, (EMAIL, SMS, PRINT)),
    ),
    _preset(
        "paperless-30",
        "Paperless 30-day: email and text",
        (30, 25),
        (0, INITIAL, (EMAIL, SMS)),
        (15, DUE, (SMS,)),
        (30, DUE, (EMAIL, SMS)),
        (60, PAST_DUE, (EMAIL, SMS)),
        (90, FINAL, (EMAIL, SMS)),
    ),
    _preset(
        "paper-30",
        "Paper only, 30-day",
        (30, 25),
        (0, INITIAL, (PRINT,)),
        (30, DUE, (PRINT,)),
        (60, PAST_DUE, (PRINT,)),
        (90, FINAL, (PRINT,)),
    ),
    _preset(
        "gentle-45",
        "Gentle 45-day: email, with a letter every other time",
        (45, 40),
        (0, INITIAL, (EMAIL, PRINT)),
        (45, DUE, (EMAIL,)),
        (90, PAST_DUE, (EMAIL, PRINT)),
        (135, FINAL, (EMAIL, PRINT)),
    ),
    _preset(
        "text-first",
        "Text first, ending with a final letter",
        (30, 25),
        (0, INITIAL, (SMS,)),
        (10, DUE, (SMS, EMAIL)),
        (30, PAST_DUE, (SMS, EMAIL)),
        (60, PAST_DUE, (EMAIL,)),
        (90, FINAL, (PRINT,)),
    ),
)

CONFIGURATIONS: dict[str, DunningConfiguration] = {preset.configuration_id: preset for preset in _PRESETS}
"""Every preset by its id, in the order in which a person is shown them."""


def configuration(configuration_id: str) -> DunningConfiguration:
    """Find a preset by its id; raises UnknownConfigurationError."""
    try:
        return CONFIGURATIONS[configuration_id]
    except KeyError:
        raise UnknownConfigurationError(configuration_id) from None


def chosen(settings: DunningSettings) -> DunningConfiguration:
    """The configuration that settings choose, a preset or the partner's own, with every step at a bill's age.

    Raises UnknownConfigurationError.
    """
    own = settings.own_configuration
    if own is None or own.configuration_id != settings.configuration_id:
        return configuration(settings.configuration_id)
    return on_ages(own, settings.days_until_due)


def search(
    text: str = "", among: Iterable[DunningConfiguration] = CONFIGURATIONS.values()
) -> tuple[DunningConfiguration, ...]:
    """List the configurations whose id or name contains the text, whatever its case: presets unless said otherwise."""
    wanted = text.strip().casefold()
    return tuple(
        configuration
        for configuration in among
        if wanted in configuration.configuration_id.casefold() or wanted in configuration.name.casefold()
    )
