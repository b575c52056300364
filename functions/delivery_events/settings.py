"""What the function is told by its environment."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """The function's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
    allow_simulated_time: bool = False
