"""Says who calls the partner API: from the API key of a request to its partner and scopes."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.authorize.authentication import UnauthorizedError, authenticate, logger
from functions.authorize.ports import ports
from shared.domain.records.partner import ApiKey

__all__ = ["UnauthorizedError", "authenticate", "lambda_handler", "logger", "policy"]


def policy(key: ApiKey, method_arn: str) -> dict[str, Any]:
    """Let the key call every method of this stage: the gateway keeps the answer for other paths too."""
    api, stage = method_arn.split("/")[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": key.key_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "partnerId": key.partner_id,
            "keyId": key.key_id,
            "scopes": " ".join(sorted(key.scopes)),
        },
    }


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Entry point: a TOKEN authorizer of the REST API."""
    key = authenticate(str(event.get("authorizationToken", "")), ports().api_keys, datetime.now(UTC))
    return policy(key, event["methodArn"])
