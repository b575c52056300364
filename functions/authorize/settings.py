"""The authorizer's settings, from its environment."""

from shared.settings import FunctionSettings


class AuthorizeSettings(FunctionSettings):
    """The authorizer's settings, named as in template.yaml."""

    table_name: str
