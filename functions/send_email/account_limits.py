"""What SES lets this account send, and whether at all."""

from typing import TYPE_CHECKING

from shared.domain.delivery.channel_gate import Limits
from shared.domain.delivery.orders import Postponed
from shared.messaging.errors import STOPPED_AT_PROVIDER

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

SHUT_DOWN = "SHUTDOWN"
LEAST_PER_SECOND = 1.0
"""The rate of SES's sandbox, the lowest that it gives."""


def account_limits(client: "SESV2Client") -> Limits | Postponed:
    """Ask SES for the account's limits; or learn that it sends nothing. Raises what the client raises."""
    account = client.get_account()
    if not account.get("SendingEnabled", True) or account.get("EnforcementStatus") == SHUT_DOWN:
        return STOPPED_AT_PROVIDER
    quota = account["SendQuota"]
    # -1: without limit.
    limited = quota["Max24HourSend"] >= 0
    left = max(int(quota["Max24HourSend"] - quota["SentLast24Hours"]), 0) if limited else None
    return Limits(per_second=max(quota["MaxSendRate"], LEAST_PER_SECOND), left_today=left)
