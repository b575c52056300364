"""What a function is told by its environment."""

from dataclasses import dataclass, field

import pytest

from shared.settings import FunctionSettings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Example(FunctionSettings):
    table_name: str
    secret: str = field(default="", repr=False)
    per_second: float = field(default=20.0, metadata={"positive": True})
    allow: bool = False


def test_a_setting_is_the_variable_of_its_name_and_others_are_ignored() -> None:
    variables = {"TABLE_NAME": "t", "PER_SECOND": "2.5", "ALLOW": "true", "PATH": "/"}
    assert Example.of(variables) == Example(table_name="t", per_second=2.5, allow=True)


def test_what_is_not_given_is_as_by_default() -> None:
    assert Example.of({"TABLE_NAME": "t"}) == Example(table_name="t")


@pytest.mark.parametrize(("text", "truth"), [("true", True), ("True", True), ("false", False), ("FALSE", False)])
def test_a_truth_is_said_in_any_case(text: str, truth: bool) -> None:  # noqa: FBT001 - an example
    assert Example.of({"TABLE_NAME": "t", "ALLOW": text}).allow is truth


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "TABLE_NAME"),
        ({"TABLE_NAME": "t", "ALLOW": "perhaps"}, "ALLOW"),
        ({"TABLE_NAME": "t", "ALLOW": ""}, "ALLOW"),
        ({"TABLE_NAME": "t", "PER_SECOND": "quick"}, "PER_SECOND"),
        ({"TABLE_NAME": "t", "PER_SECOND": "0"}, "PER_SECOND"),
        ({"TABLE_NAME": "t", "PER_SECOND": "nan"}, "PER_SECOND"),
        ({"PER_SECOND": "-1"}, "TABLE_NAME, PER_SECOND"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_never_quoted(variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Example.of(variables)
    assert str(refused.value) == f"missing or wrong: {named}"
    assert "perhaps" not in repr(refused.value)


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Example.of({"TABLE_NAME": "t", "SECRET": "hush"}))
