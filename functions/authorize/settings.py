"""What the authorizer is told by its environment."""

from pydantic import BaseModel, ConfigDict


class AuthorizeSettings(BaseModel):
    """The authorizer's settings, named as in template.yaml."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)

    table_name: str
