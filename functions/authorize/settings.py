"""The authorizer's settings, from its environment."""

from dataclasses import dataclass

from shared.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class AuthorizeSettings(FunctionSettings):
    """The authorizer's settings, named as in template.yaml."""

    table_name: str
