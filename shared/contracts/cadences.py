"""The body of a partner's own dunning configuration, with everything that is wrong with it found at once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.contracts.templates import TEMPLATE_ID
from shared.contracts.wire import NamedLine, WireModel, Word
from shared.domain.records.cadences import TYPES_IN_ORDER, CadenceFault, PlacedStep, cadence_faults
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, DunningConfiguration, Step
from shared.domain.vocabulary.json_pointers import parts_of
from shared.domain.vocabulary.words import Channel, NotificationType

MOST_STEPS = 30
MOST_DAYS = 730
"""Further from the bill's first day, or from its due date, no step may lie."""

USUAL_CYCLE_DAYS = 30


def _dunning_type(kind: NotificationType) -> NotificationType:
    if kind not in TYPES_IN_ORDER:
        raise ValueError("must be one of Initial, Due, PastDue, Final")
    return kind


def _each_once(channels: list[Channel]) -> list[Channel]:
    if max(Counter(channels).values()) > 1:
        raise ValueError("must name each channel once")
    return channels


TemplateChoice = Annotated[str, StringConstraints(pattern=f"^({SYSTEM_DEFAULT_TEMPLATE}|{TEMPLATE_ID})$")]


class StepBody(WireModel):
    """One step: on which day what is sent, by which channels. Either `billAge` or `daysFromDue` says the day."""

    bill_age: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = Field(
        default=None, description="Days since the bill's effective created date.", examples=[0]
    )
    days_from_due: Annotated[int, Field(ge=-MOST_DAYS, le=MOST_DAYS)] | None = Field(
        default=None, description="Days since the due date, below zero before it.", examples=[-7]
    )
    notification_type: Annotated[Word[NotificationType], AfterValidator(_dunning_type)]
    channels: Annotated[list[Word[Channel]], Field(min_length=1), AfterValidator(_each_once)]
    templates: dict[Word[Channel], TemplateChoice] = Field(
        default_factory=dict,
        description="By channel: a template's id, or <System Default>, which is used for all others.",
    )
    level: int | None = Field(default=None, description="As it was read; it follows from the step's place.")
    cycle: int | None = Field(default=None, description="As it was read; it follows from the step's day.")

    @model_validator(mode="after")
    def _one_day(self) -> Self:
        if (self.bill_age is None) == (self.days_from_due is None):
            raise ValueError("must have exactly one of billAge and daysFromDue")
        if not self.templates.keys() <= set(self.channels):
            raise ValueError("templates must name channels of the step only")
        return self

    def domain(self) -> Step:
        """The step for the rules."""
        return Step(
            bill_age=self.bill_age or 0,
            days_from_due=self.days_from_due,
            notification_type=self.notification_type,
            channels=tuple(self.channels),
            templates={
                channel: template for channel, template in self.templates.items() if template != SYSTEM_DEFAULT_TEMPLATE
            },
        )


class CadenceBody(WireModel):
    """A dunning configuration of your own."""

    name: Annotated[NamedLine, Field(max_length=100, examples=["Before and after the due date"])]
    dunning_cycle_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=USUAL_CYCLE_DAYS, description="With no dunning limit the last step comes again every so many days."
    )
    paper_cycle_days: Annotated[int, Field(ge=0, le=365)] = Field(
        description="Between two letters lie at least so many days."
    )
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=MOST_STEPS)]
    configuration_id: str | None = Field(default=None, description="As it was read.")
    version: int | None = Field(
        default=None, description="Of a PUT: the version that was read. 409 if it was changed since."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever was sent
        """Judge the steps together too where one of them is wrong by itself, so that all is told at once."""
        try:
            body = handler(given)
        except ValidationError as error:
            own_faults = [
                InitErrorDetails(
                    type=PydanticCustomError("cadence", "{detail}", {"detail": found["msg"]}),
                    loc=found["loc"],
                    input=None,
                )
                for found in error.errors(include_url=False, include_input=False, include_context=False)
            ]
            raise _refused(cls, own_faults, _faults_in(given)) from None
        placed = [PlacedStep(place, step.domain()) for place, step in enumerate(body.steps)]
        faults = cadence_faults(placed, body.paper_cycle_days)
        if faults:
            raise _refused(cls, [], faults)
        return body

    def domain(self, configuration_id: str, partner_id: str, version: int) -> DunningConfiguration:
        """The configuration for the rules. A step's cycle is that of its age."""
        steps = (step.domain() for step in self.steps)
        return DunningConfiguration(
            configuration_id=configuration_id,
            name=self.name,
            dunning_cycle_days=self.dunning_cycle_days,
            paper_cycle_days=self.paper_cycle_days,
            steps=tuple(replace(step, cycle=step.bill_age // self.dunning_cycle_days + 1) for step in steps),
            partner_id=partner_id,
            version=version,
        )


def _faults_in(given: Any) -> tuple[CadenceFault, ...]:  # noqa: ANN401 - whatever was sent
    """What is wrong with those steps together that are right by themselves."""
    document = given if isinstance(given, dict) else {}
    paper_cycle_days = document.get("paperCycleDays")
    whole = isinstance(paper_cycle_days, int) and not isinstance(paper_cycle_days, bool)
    return cadence_faults(list(_readable(document.get("steps"))), paper_cycle_days if whole else None)


def _readable(steps: Any) -> Iterator[PlacedStep]:  # noqa: ANN401 - whatever was sent
    for place, step in enumerate(steps[:MOST_STEPS] if isinstance(steps, list) else ()):
        try:
            yield PlacedStep(place, StepBody.model_validate(step).domain())
        except ValidationError:
            continue


def _refused(
    model: type[CadenceBody], own_faults: list[InitErrorDetails], faults: Iterable[CadenceFault]
) -> ValidationError:
    together = [
        InitErrorDetails(
            type=PydanticCustomError("cadence", "{detail}", {"detail": fault.detail}), loc=_place(fault), input=None
        )
        for fault in faults
    ]
    return ValidationError.from_exception_data(model.__name__, own_faults + together)


def _place(fault: CadenceFault) -> tuple[int | str, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in parts_of(fault.pointer))
