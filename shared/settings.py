"""What a function is told by its environment, as its section of template.yaml names it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Self

_TRUTHS = {"true": True, "false": False}

_READERS: dict[Any, Callable[[str], Any]] = {str: str, float: float, bool: lambda text: _TRUTHS[text.lower()]}
"""How a variable of each type is read."""


class SettingsError(Exception):
    """Variables that are missing or wrong, by name; what they hold may be a secret."""

    def __init__(self, variables: list[str]) -> None:
        super().__init__(f"missing or wrong: {', '.join(variables)}")


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """A function's settings: the setting `table_name` is the variable TABLE_NAME. Other variables are ignored.

    They are text, numbers and truths only, so reading them needs no pydantic, which would cost every cold start.
    """

    @classmethod
    def from_environment(cls) -> Self:
        """Read the process's own. Raises SettingsError where one is missing or wrong."""
        return cls.of(os.environ)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """Read them. Raises SettingsError where one is missing or wrong."""
        values, wrong = dict[str, Any](), list[str]()
        for setting in fields(cls):
            name = setting.name.upper()
            try:
                values |= _read(setting, variables.get(name))
            except ValueError:
                wrong.append(name)
        if wrong:
            raise SettingsError(wrong)
        return cls(**values)


def _read(setting: Field[Any], text: str | None) -> dict[str, Any]:
    """The value of a setting, if it was given. Raises ValueError where it must be and wasn't, or can't be read."""
    if text is None:
        if setting.default is MISSING:
            raise ValueError
        return {}
    try:
        value = _READERS[setting.type](text)
    except KeyError:
        raise ValueError from None
    if setting.metadata.get("positive") and not value > 0:
        raise ValueError
    return {setting.name: value}
