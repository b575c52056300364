"""What payment links begin with."""

from functools import cache

from shared.messaging.clients import ssm


@cache
def public_base_url(configured: str, parameter: str) -> str:
    """The address that patients reach us at, without a slash at the end.

    `configured` where the operator set one; else the stack's own API address, read once from the SSM parameter of this
    name, because a function's environment can't name the API that names the function.
    """
    return configured or ssm().get_parameter(Name=parameter)["Parameter"]["Value"]
