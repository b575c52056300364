"""What `sam build` and `sam deploy` are told by themselves, in each environment."""

import shlex
import tomllib
from typing import Any

import pytest

from tests.worlds import template

CONFIG: dict[str, Any] = tomllib.loads((template.PROJECT / "samconfig.toml").read_text())
ENVIRONMENTS = ["default", "staging", "prod"]
TEST_STACKS_ONLY = {"AllowSimulatedTime", "WebhooksToLoopback", "SandboxProcessorUrl", "SandboxProcessorKey"}


def overrides(environment: str) -> dict[str, str]:
    told = shlex.split(CONFIG[environment]["deploy"]["parameters"]["parameter_overrides"])
    return dict(each.split("=", 1) for each in told)


def test_each_environment_has_a_stack_of_its_own() -> None:
    assert set(CONFIG) - {"version"} == set(ENVIRONMENTS)
    assert len({CONFIG[each]["global"]["parameters"]["stack_name"] for each in ENVIRONMENTS}) == len(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_templates_loops_are_unrolled_without_being_asked(environment: str) -> None:
    assert CONFIG[environment]["global"]["parameters"]["language_extensions"] is True


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_set_is_a_parameter_and_nothing_of_a_test_stack(environment: str) -> None:
    known = set(template.source()["Parameters"])
    assert set(overrides(environment)) <= known - TEST_STACKS_ONLY


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_who_fills_it_in_is_asked_for_the_sender_and_the_alarms_topic(environment: str) -> None:
    assert {"SenderAddress", "AlarmTopicArn"} <= set(overrides(environment))


def test_production_is_protected_backed_up_and_deployed_bit_by_bit() -> None:
    told = overrides("prod")
    assert {told[name] for name in ("DeletionProtection", "DailyBackups", "GradualDeployments")} == {"true"}
    # AWS counts no less than ten.
    assert int(told["BillCodeTries"]) >= 10
