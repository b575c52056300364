"""What a function is told by its environment, as its section of template.yaml names it."""

import os
from typing import Self

from pydantic import BaseModel, ConfigDict


class FunctionSettings(BaseModel):
    """A function's settings: the setting `table_name` is the variable TABLE_NAME. Other variables are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    @classmethod
    def from_environment(cls) -> Self:
        """Read them. Raises pydantic's ValidationError where one is missing or wrong."""
        return cls.model_validate(dict(os.environ))
