"""What the authorizer works with, made once a process."""

from dataclasses import dataclass
from functools import cache

from functions.authorize.settings import AuthorizeSettings
from shared.messaging import clients
from shared.storage.api_keys import ApiKeys


@dataclass(frozen=True, kw_only=True)
class AuthorizePorts:
    """The authorizer's settings, and where keys are stored."""

    settings: AuthorizeSettings
    api_keys: ApiKeys


@cache
def ports() -> AuthorizePorts:
    """Read the settings and make the client."""
    settings = AuthorizeSettings.from_environment()
    return AuthorizePorts(settings=settings, api_keys=ApiKeys(clients.dynamodb(), settings.table_name))
