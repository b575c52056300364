"""Bodies of the dunning settings and configurations of the partner API."""

from collections.abc import Container, Mapping
from dataclasses import fields, replace
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from shared.contracts import wire
from shared.contracts.wire import GivenMoney, TimeOfDay, WireModel, Word
from shared.domain.records.cadences import faults_at
from shared.domain.records.inheritance import (
    CONFIGURATION,
    QUIET_HOURS,
    SYSTEM,
    PartnerDefaults,
    SettingsSaid,
    Source,
    overrides_of,
    source_of,
)
from shared.domain.records.policy import (
    SYSTEM_DEFAULT_TEMPLATE,
    DunningConfiguration,
    DunningSettings,
    Organization,
    PaymentRule,
    SendWindow,
    Step,
)
from shared.domain.records.presets import CONFIGURATIONS, chosen
from shared.domain.vocabulary.json_documents import Json
from shared.domain.vocabulary.json_pointers import POINTER, parts_of
from shared.domain.vocabulary.words import BillAging, Channel, DunningReset, NotificationType

WHOLE = frozenset({"paymentRule"})
"""Fields that a merge patch replaces whole, because their own fields exclude each other."""

SETTINGS_OF: dict[str, frozenset[str]] = {
    to_camel(field.name): frozenset({field.name})
    for field in fields(DunningSettings)
    if field.name not in QUIET_HOURS | CONFIGURATION
} | {"quietHours": QUIET_HOURS, "configurationId": CONFIGURATION}
"""The names, in the rules, of the settings that each field stands for."""

SAID_OTHERWISE = QUIET_HOURS | {"own_configuration", "reset_fields", "payment_rule", "send_window"}

SAID_ALIKE = tuple(field.name for field in fields(DunningSettings) if field.name not in SAID_OTHERWISE)
"""The settings that are on the wire what they are in the rules, under the same names."""

OWN = "own configurations"
"""Under this name a validation is told of the partner's own configurations, by their ids."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

STATEMENT_FIELDS: dict[str, frozenset[str]] = {
    "statementDate": frozenset(),
    "totalBilled": frozenset(),
    "totalBalance": frozenset(),
    "statementMessage": frozenset(),
    "statementMessageEs": frozenset(),
    "dunningStatus": frozenset(),
    "electronicOptOut": frozenset(),
    "locationName": frozenset(),
    "guarantor": frozenset(
        {
            "accountCredit",
            "guarantorId",
            "firstName",
            "lastName",
            "dateOfBirth",
            "email",
            "mobilePhone",
            "homePhone",
            "language",
            "address",
            "addressStatus",
            "electronicOptOut",
        }
    ),
    "billTo": frozenset({"name", "email", "mobilePhone"}),
    "patients": frozenset(),
    "payers": frozenset(),
}
"""Statement fields whose change may restart aging, each with its own fields (docs/rules.md#reset-on-field-change)."""


LONGEST_RESET_POINTER = 200
"""Characters; the longest that leads to a field of a statement has about half of them."""


def _statement_pointer(pointer: str) -> str:
    if not POINTER.fullmatch(pointer):
        raise ValueError("must be a JSON pointer such as /totalBilled")
    first, *deeper = parts_of(pointer)
    fields = STATEMENT_FIELDS.get(first)
    if fields is None or (fields and deeper and deeper[0] not in fields):
        raise ValueError("must point at a field of a statement")
    if deeper and not fields and first not in {"patients", "payers"}:
        raise ValueError("must point at a field of a statement")
    return pointer


def _absent(value: object) -> bool:
    return value is None


class StepAnswer(WireModel):
    """One step of a configuration."""

    level: int
    cycle: int | None = Field(
        default=None, exclude_if=_absent, description="Left out where it depends on an organization's due dates."
    )
    bill_age: int | None = Field(
        default=None,
        exclude_if=_absent,
        description="Days since the bill's effective created date. In a schedule always; in a configuration where the"
        " step doesn't count from the due date.",
    )
    days_from_due: int | None = Field(
        default=None, exclude_if=_absent, description="Days since the due date, below zero before it."
    )
    notification_type: NotificationType
    channels: list[Channel]
    templates: dict[Channel, str] = Field(description="By channel: a template's id, or <System Default>.")


class ConfigurationAnswer(WireModel):
    """A dunning configuration."""

    configuration_id: str
    name: str
    dunning_cycle_days: int
    paper_cycle_days: int
    version: int | None = Field(
        default=None,
        exclude_if=_absent,
        description="Of one of your own: raised by each change of it. Presets have none.",
    )
    steps: list[StepAnswer]

    @classmethod
    def of(cls, configuration: DunningConfiguration) -> Self:
        """A configuration as it was written."""
        return cls(
            configuration_id=configuration.configuration_id,
            name=configuration.name,
            dunning_cycle_days=configuration.dunning_cycle_days,
            paper_cycle_days=configuration.paper_cycle_days,
            version=configuration.version or None,
            steps=[
                _step(level, step, cycle=None, bill_age=None)
                if step.days_from_due is not None
                else _step(level, step, cycle=step.cycle, bill_age=step.bill_age)
                for level, step in enumerate(configuration.steps, start=1)
            ],
        )


def schedule_of(settings: DunningSettings) -> list[StepAnswer]:
    """The schedule that settings bring: every step at a bill's age."""
    steps = enumerate(chosen(settings).steps, start=1)
    return [_step(level, step, cycle=step.cycle, bill_age=step.bill_age) for level, step in steps]


def _step(level: int, step: Step, *, cycle: int | None, bill_age: int | None) -> StepAnswer:
    return StepAnswer(
        level=level,
        cycle=cycle,
        bill_age=bill_age,
        days_from_due=step.days_from_due,
        notification_type=step.notification_type,
        channels=list(step.channels),
        templates={channel: step.templates.get(channel, SYSTEM_DEFAULT_TEMPLATE) for channel in step.channels},
    )


class ConfigurationsPage(WireModel):
    """A page of configurations."""

    items: list[ConfigurationAnswer]
    next_cursor: str | None


class PaymentRuleBody(WireModel):
    """When a partial payment resets dunning: exactly one of the two minimums."""

    minimum_amount: GivenMoney | None = None
    minimum_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    dunning_reset: Word[DunningReset]

    @model_validator(mode="after")
    def _one_minimum(self) -> Self:
        if (self.minimum_amount is None) == (self.minimum_percent is None):
            raise ValueError("must have exactly one of minimumAmount and minimumPercent")
        if self.minimum_amount is not None and self.minimum_amount <= 0:
            raise ValueError("minimumAmount must be above 0.00")
        return self

    @classmethod
    def of(cls, rule: PaymentRule) -> "PaymentRuleBody":
        """The rule as stored."""
        return cls.model_construct(**{name: getattr(rule, name) for name in cls.model_fields})

    def domain(self) -> PaymentRule:
        """The rule for the payments."""
        return PaymentRule(**dict(self))


class SendWindowBody(WireModel):
    """When notices go, in the organization's time zone."""

    opens: TimeOfDay = SYSTEM.send_window.opens
    closes: TimeOfDay = SYSTEM.send_window.closes
    business_days: list[str] = Field(default_factory=lambda: list(WEEKDAYS[:5]), examples=[list(WEEKDAYS[:5])])
    federal_holidays: bool = Field(default=True, description="Whether US federal holidays are kept: nothing goes then.")

    @field_validator("business_days")
    @classmethod
    def _weekdays(cls, names: list[str]) -> list[str]:
        if not names or len(set(names)) < len(names) or not set(names) <= set(WEEKDAYS):
            raise ValueError("must name each business day once, such as Monday")
        return sorted(names, key=WEEKDAYS.index)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self

    @classmethod
    def of(cls, window: SendWindow) -> "SendWindowBody":
        """The window as stored."""
        return cls.model_construct(
            opens=window.opens,
            closes=window.closes,
            business_days=[WEEKDAYS[day] for day in sorted(window.business_days)],
            federal_holidays=window.federal_holidays,
        )

    def domain(self) -> SendWindow:
        """The window for the rules."""
        return SendWindow(
            opens=self.opens,
            closes=self.closes,
            business_days=frozenset(WEEKDAYS.index(name) for name in self.business_days),
            federal_holidays=self.federal_holidays,
        )


class QuietHoursBody(WireModel):
    """When no text goes, in the recipient's own time zones: from an evening hour until a morning hour."""

    starts: TimeOfDay = SYSTEM.quiet_from
    ends: TimeOfDay = SYSTEM.quiet_until

    @model_validator(mode="after")
    def _overnight(self) -> Self:
        if self.ends >= self.starts:
            raise ValueError("must start in the evening and end in the morning")
        return self


def _own_configurations(info: ValidationInfo) -> Mapping[str, DunningConfiguration]:
    """The partner's own configurations that the validation was told of."""
    known: Mapping[str, DunningConfiguration] = (info.context or {}).get(OWN, {})
    return known


def _known_configuration(configuration_id: str, info: ValidationInfo) -> str:
    if configuration_id not in CONFIGURATIONS and configuration_id not in _own_configurations(info):
        raise ValueError("must be the configurationId of a dunning configuration")
    return configuration_id


Days = Annotated[int, Field(ge=0, le=365)]


def _not_negative(amount: int) -> int:
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


Minimum = Annotated[GivenMoney, AfterValidator(_not_negative)]


class DunningBody(WireModel):
    """The dunning settings of an organization that a partner may change."""

    # They follow from the others.
    read_only = ("dunningCycleDays", "paperCycleDays", "schedule", "inherited")

    configuration_id: Annotated[str, AfterValidator(_known_configuration)] = SYSTEM.configuration_id
    minimum_electronic: Minimum = Field(default=SYSTEM.minimum_electronic, description="A balance must exceed it.")
    minimum_print: Minimum = Field(default=SYSTEM.minimum_print, description="A balance must exceed it.")
    bill_aging: Word[BillAging] = SYSTEM.bill_aging
    communications_on_bill_update: bool = SYSTEM.communications_on_bill_update
    enable_bill_reset: bool = SYSTEM.enable_bill_reset
    reset_on_fields_changing: bool = SYSTEM.reset_on_fields_changing
    reset_fields: Annotated[
        list[Annotated[str, Field(max_length=LONGEST_RESET_POINTER), AfterValidator(_statement_pointer)]],
        Field(max_length=50, default_factory=list, examples=[["/totalBilled"]]),
    ]
    drop_to_paper_on_opt_out: bool = SYSTEM.drop_to_paper_on_opt_out
    skip_paper_when_electronic_available: bool = SYSTEM.skip_paper_when_electronic_available
    payment_rule: PaymentRuleBody | None = None
    no_dunning_limit: bool = SYSTEM.no_dunning_limit
    days_until_due: Days = SYSTEM.days_until_due
    days_to_ignore_after_transaction: Days = SYSTEM.days_to_ignore_after_transaction
    opt_out_after_undeliverable: bool = Field(
        default=SYSTEM.opt_out_after_undeliverable,
        description="Whether an email or text that bounced permanently opts its guarantor out.",
    )
    drop_to_paper_after_undeliverable_days: Days | None = Field(
        default=SYSTEM.drop_to_paper_after_undeliverable_days,
        description="Days after which a reminder that bounced goes by letter; null: never.",
    )
    send_window: SendWindowBody = Field(default_factory=SendWindowBody)
    quiet_hours: QuietHoursBody = Field(default_factory=QuietHoursBody)

    @field_validator("days_until_due")
    @classmethod
    def _suits_the_configuration(cls, days: int, info: ValidationInfo) -> int:
        own = _own_configurations(info).get(info.data.get("configuration_id", ""))
        wrong = next(faults_at(own, days), None) if own else None
        if wrong:
            raise ValueError(wrong)
        return days

    @classmethod
    def of(cls, settings: DunningSettings) -> "DunningBody":
        """The settings as stored."""
        return cls.model_construct(
            **{name: getattr(settings, name) for name in SAID_ALIKE},
            reset_fields=list(settings.reset_fields),
            payment_rule=PaymentRuleBody.of(settings.payment_rule) if settings.payment_rule else None,
            send_window=SendWindowBody.of(settings.send_window),
            quiet_hours=QuietHoursBody.model_construct(starts=settings.quiet_from, ends=settings.quiet_until),
        )

    def domain(self) -> DunningSettings:
        """The settings for the rules."""
        return DunningSettings(
            **{name: getattr(self, name) for name in SAID_ALIKE},
            reset_fields=tuple(self.reset_fields),
            payment_rule=self.payment_rule.domain() if self.payment_rule else None,
            send_window=self.send_window.domain(),
            quiet_from=self.quiet_hours.starts,
            quiet_until=self.quiet_hours.ends,
        )


class DunningAnswer(DunningBody):
    """The dunning settings in force, with the schedule that their configuration brings, and what is inherited."""

    dunning_cycle_days: int
    paper_cycle_days: int
    schedule: list[StepAnswer]
    inherited: dict[str, Source] = Field(
        description="The fields that aren't set here, each with where its setting is inherited from.",
        examples=[{"billAging": "system", "minimumPrint": "partner"}],
    )

    @classmethod
    def of_organization(cls, organization: Organization) -> "DunningAnswer":
        """The settings of an organization, as stored."""
        return cls._of(organization.dunning, overrides_of(organization), organization.dunning_from_partner)

    @classmethod
    def of_partner(cls, defaults: PartnerDefaults) -> "DunningAnswer":
        """What a partner's organizations inherit, as stored."""
        return cls._of(defaults.dunning, defaults.overrides, frozenset())

    @classmethod
    def _of(cls, settings: DunningSettings, own: frozenset[str], from_partner: frozenset[str]) -> "DunningAnswer":
        configuration = chosen(settings)
        sources = {field: source_of(names, own, from_partner) for field, names in SETTINGS_OF.items()}
        return cls.model_construct(
            **dict(DunningBody.of(settings)),
            dunning_cycle_days=configuration.dunning_cycle_days,
            paper_cycle_days=configuration.paper_cycle_days,
            schedule=schedule_of(settings),
            inherited={field: source for field, source in sources.items() if source},
        )


def settings_after(
    settings: DunningSettings,
    inherited: DunningSettings,
    patch: Json,
    named: DunningConfiguration | None = None,
) -> DunningSettings:
    """The settings after a merge patch, in which null stands for what is inherited.

    `named`: the partner's own configuration that the patch names, as it is now. Raises pydantic's ValidationError.
    """
    # The later outweighs the earlier: what is read now, the copy that is in force already.
    known = (inherited.own_configuration, settings.own_configuration, named)
    own = {configuration.configuration_id: configuration for configuration in known if configuration}
    below = _wire(inherited)
    before = {field: said for field, said in _wire(settings).items() if field not in WHOLE or field not in patch}
    said = {field: below.get(field) if value is None else value for field, value in patch.items()}
    document = wire.merge_patch(before, said)
    after = DunningBody.model_validate(document, context={OWN: own}).domain()
    return replace(after, own_configuration=own.get(after.configuration_id))


def said_in(patch: Json, inherited: Container[str]) -> SettingsSaid:
    """Of which settings a merge patch says something; `inherited`: fields that it says are inherited."""
    known = {field: SETTINGS_OF[field] for field in patch if field in SETTINGS_OF}
    return SettingsSaid(
        named=frozenset().union(*(names for field, names in known.items() if patch[field] is not None)),
        taken_back=frozenset().union(*(names for field, names in known.items() if patch[field] is None)),
        repeated=tuple(names for field, names in known.items() if field in inherited),
    )


def _wire(settings: DunningSettings) -> Json:
    return DunningBody.of(settings).model_dump(mode="json", by_alias=True)
