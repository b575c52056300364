"""What a provider's error means for the message: one table, looked up by the provider and its error's code.

The line that matters is between what the provider surely doesn't have, which may be sent again, and what it may have,
which never is by itself.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
    TokenRetrievalError,
)

from shared.domain.delivery import Answer, Postponed, Rejected, Unanswered


class Provider(StrEnum):
    """Who is called."""

    EMAIL = "SES v2"
    TEXT = "SNS"
    STORE = "S3"


SLOWER = Postponed(reason="the provider asks to go slower", pause=timedelta(minutes=2))
QUOTA = Postponed(reason="the provider's daily quota is used up", pause=timedelta(hours=1))
STOPPED = Postponed(reason="sending is stopped at the provider", pause=timedelta(minutes=30))
NOT_SET_UP = Postponed(reason="the provider is not set up for this", pause=timedelta(minutes=30))
NO_ACCESS = Postponed(reason="the provider refuses us access", pause=timedelta(minutes=30))
NOT_REACHED = Postponed(reason="the provider could not be reached", pause=timedelta(minutes=2))
BAD_ADDRESS = Rejected(reason="the provider cannot send to this address", undeliverable=True)
OPTED_OUT = Rejected(reason="the number opted out at the carrier", undeliverable=True)
REFUSED = Rejected(reason="the provider refused the message")
NO_ANSWER = Unanswered(reason="the provider may have it")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means, where its text holds `phrase` (in lower case)."""

    answer: Answer
    phrase: str = ""


ACCESS = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
THROTTLING = (
    "LimitExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)

MEANINGS: dict[str, tuple[Meaning, ...]] = {
    **{code: (Meaning(NO_ACCESS),) for code in ACCESS},
    **{code: (Meaning(QUOTA, "daily"), Meaning(SLOWER)) for code in THROTTLING},
    # SES v2
    "AccountSuspendedException": (Meaning(STOPPED),),
    "SendingPausedException": (Meaning(STOPPED),),
    "MailFromDomainNotVerifiedException": (Meaning(NOT_SET_UP),),
    "NotFoundException": (Meaning(NOT_SET_UP),),
    # An identity that isn't verified, ours or (in SES's sandbox) the recipient's, is for the operator to put right.
    "MessageRejected": (Meaning(NOT_SET_UP, "not verified"), Meaning(REFUSED)),
    "BadRequestException": (Meaning(BAD_ADDRESS, "address"), Meaning(BAD_ADDRESS, "domain"), Meaning(REFUSED)),
    # SNS
    "InvalidParameter": (Meaning(OPTED_OUT, "opted out"), Meaning(BAD_ADDRESS, "phone"), Meaning(REFUSED)),
    "OptedOut": (Meaning(OPTED_OUT),),
    # S3
    "NoSuchBucket": (Meaning(NOT_SET_UP),),
    "ConditionalRequestConflict": (Meaning(NOT_REACHED),),
    "OperationAborted": (Meaning(NOT_REACHED),),
}

NEVER_LEFT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
    TokenRetrievalError,
)
"""Errors from before a request was on its way. An SSLError may come later too, so it isn't one of them."""

SERVER_ERROR = 500


def answer_of(error: Exception, provider: Provider) -> Answer:
    """What an error from a provider's client means.

    An error that isn't known counts as "may have it", except from the store: an object is written at most once, so
    writing it again is always safe.
    """
    if isinstance(error, ClientError):
        answer = _meaning(error)
    elif isinstance(error, NEVER_LEFT):
        answer = NOT_REACHED
    elif isinstance(error, ParamValidationError):
        answer = REFUSED
    else:
        answer = NO_ANSWER
    return NOT_REACHED if provider is Provider.STORE and isinstance(answer, Unanswered) else answer


def _meaning(error: ClientError) -> Answer:
    code, text = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "").lower()
    for meaning in MEANINGS.get(code, ()):
        if meaning.phrase in text:
            return meaning.answer
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", SERVER_ERROR)
    return NO_ANSWER if status >= SERVER_ERROR else REFUSED
