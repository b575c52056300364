"""What a provider's error means for the message and for its channel: one table a provider, looked up by error code.

The line that matters is between what the provider surely doesn't have, which may be sent again, and what it may have,
which never is by itself.

SNS doesn't answer everything: past the month's spending limit, in its sandbox, or to a number on its own opt-out list
it may accept a text and drop it. Only its delivery log says so then (docs/runbook.md).
"""

from dataclasses import dataclass, replace
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

from shared.domain.delivery.channel_gate import PAUSES, QUOTA_USED_UP, SPREAD
from shared.domain.delivery.orders import Postponed, ProviderAnswer, Rejected, Unanswered


class MessageProvider(StrEnum):
    """Who is called."""

    EMAIL = "SES v2"
    TEXT = "SNS"
    STORE = "S3"


class ErrorClass(StrEnum):
    """What is done about an error."""

    THROTTLE = "throttle"
    """Too fast: this notice is tried again after a pause that its id spreads."""
    DAILY_QUOTA = "daily quota"
    """None is taken any more today: the channel pauses for an hour at a time."""
    STOPPED = "stopped"
    """None is taken until a person has mended it: the channel pauses for all workers, and operators are warned."""
    PERMANENT = "permanent"
    """Not to this address, ever: Undeliverable, and the fallback of the address."""
    REFUSED = "refused"
    """Not this message, ever, whatever the address: for people to look at."""
    NOT_SENT = "not sent"
    """The provider doesn't have it: it may be sent again freely."""
    UNKNOWN = "unknown"
    """The provider may have it: never sent again by itself."""


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error means: its class, and what is answered to the sender."""

    error_class: ErrorClass
    answer: ProviderAnswer


def _not_sent(reason: str, pause: timedelta) -> ErrorMeaning:
    return ErrorMeaning(ErrorClass.NOT_SENT, Postponed(reason=reason, pause=pause, spread=pause))


SLOWER = ErrorMeaning(
    ErrorClass.THROTTLE,
    Postponed(reason="the provider asks to go slower", pause=timedelta(minutes=1), spread=timedelta(minutes=3)),
)
QUOTA = ErrorMeaning(ErrorClass.DAILY_QUOTA, QUOTA_USED_UP)
STOPPED_AT_PROVIDER = Postponed(
    reason="sending is stopped at the provider", pause=PAUSES[0], spread=SPREAD, stops_channel=True
)
PROVIDER_STOPPED = ErrorMeaning(ErrorClass.STOPPED, STOPPED_AT_PROVIDER)
NOT_SET_UP = ErrorMeaning(
    ErrorClass.STOPPED, replace(STOPPED_AT_PROVIDER, reason="the provider is not set up for this")
)
NO_ACCESS = ErrorMeaning(ErrorClass.STOPPED, replace(STOPPED_AT_PROVIDER, reason="the provider refuses us access"))
NOT_REACHED = _not_sent("the provider could not be reached", timedelta(minutes=2))
NOT_STORED = _not_sent("the letter could not be stored", timedelta(minutes=2))
SANDBOX = _not_sent("the provider's sandbox takes only verified recipients", timedelta(minutes=30))
BAD_ADDRESS = ErrorMeaning(
    ErrorClass.PERMANENT, Rejected(reason="the provider cannot send to this address", undeliverable=True)
)
OPTED_OUT = ErrorMeaning(
    ErrorClass.PERMANENT, Rejected(reason="the number opted out at the carrier", undeliverable=True)
)
REFUSED = ErrorMeaning(ErrorClass.REFUSED, Rejected(reason="the provider refused the message"))
NO_ANSWER = ErrorMeaning(ErrorClass.UNKNOWN, Unanswered(reason="the provider may have it"))

type Phrases = dict[str, ErrorMeaning]
"""Meanings by what the error's text holds, in lower case, the first that fits; "" fits every text."""

ACCESS = (
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
THROTTLING = (
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
EVERYWHERE: dict[str, Phrases] = {
    **{code: {"": NO_ACCESS} for code in ACCESS},
    **{code: {"daily": QUOTA, "": SLOWER} for code in THROTTLING},
}

MEANINGS: dict[MessageProvider, dict[str, Phrases]] = {
    MessageProvider.EMAIL: EVERYWHERE
    | {
        "AccountSuspendedException": {"": PROVIDER_STOPPED},
        "SendingPausedException": {"": PROVIDER_STOPPED},  # the account or the configuration set
        "MailFromDomainNotVerifiedException": {"": NOT_SET_UP},
        "NotFoundException": {"": NOT_SET_UP},
        "MessageRejected": {
            "not verified": NOT_SET_UP,
            "suspended": PROVIDER_STOPPED,
            "paused": PROVIDER_STOPPED,
            "": REFUSED,
        },
        "BadRequestException": {
            "not verified": NOT_SET_UP,
            "configuration set": NOT_SET_UP,
            "address": BAD_ADDRESS,
            "domain": BAD_ADDRESS,
            "": REFUSED,
        },
    },
    MessageProvider.TEXT: EVERYWHERE
    | {
        "AuthorizationError": {"": NO_ACCESS},
        "InvalidSecurity": {"": NO_ACCESS},
        "InvalidParameter": {"opted out": OPTED_OUT, "phone": BAD_ADDRESS, "": REFUSED},
        "OptedOut": {"": OPTED_OUT},
        "ParameterValueInvalid": {"phone": BAD_ADDRESS, "": REFUSED},
        "ValidationException": {"phone": BAD_ADDRESS, "": REFUSED},
        # SNS knows these for topics and apps; should a text meet one, only an operator can mend it.
        "NotFound": {"": NOT_SET_UP},
        "EndpointDisabled": {"": NOT_SET_UP},
        "PlatformApplicationDisabled": {"": NOT_SET_UP},
        "KMSAccessDenied": {"": NO_ACCESS},
        "KMSDisabled": {"": NOT_SET_UP},
        "KMSInvalidState": {"": NOT_SET_UP},
        "KMSNotFound": {"": NOT_SET_UP},
        "KMSOptInRequired": {"": NO_ACCESS},
        "KMSThrottling": {"": SLOWER},
    },
    MessageProvider.STORE: EVERYWHERE
    | {
        "AccountProblem": {"": PROVIDER_STOPPED},
        "AllAccessDisabled": {"": PROVIDER_STOPPED},
        "NoSuchBucket": {"": NOT_SET_UP},
        "KMS.DisabledException": {"": NOT_SET_UP},
        "KMS.KMSInvalidStateException": {"": NOT_SET_UP},
        "KMS.NotFoundException": {"": NOT_SET_UP},
        "KMS.ThrottlingException": {"": SLOWER},
        "SlowDown": {"": SLOWER},
        "ServiceUnavailable": {"": SLOWER},
        "503": {"": SLOWER},
        # An answer to HEAD has no body: its code is the status. 404: the letter is gone since its key was taken.
        "403": {"": NO_ACCESS},
        "404": {"": NOT_STORED},
        "BadDigest": {"": NOT_STORED},
        "ConditionalRequestConflict": {"": NOT_STORED},
        "IncompleteBody": {"": NOT_STORED},
        "InternalError": {"": NOT_STORED},
        "OperationAborted": {"": NOT_STORED},
        "RequestTimeout": {"": NOT_STORED},
        "EntityTooLarge": {"": REFUSED},
        "InvalidRequest": {"": REFUSED},
        "MetadataTooLarge": {"": REFUSED},
    },
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

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
FORBIDDEN = (401, 403)


def answer_of(error: Exception, provider: MessageProvider, sender: str = "") -> ProviderAnswer:
    """What an error from a provider's client means. sender: the address that we send from."""
    return meaning_of(error, provider, sender).answer


def meaning_of(error: Exception, provider: MessageProvider, sender: str = "") -> ErrorMeaning:
    """The class of an error and its answer.

    An error that isn't known counts as "may have it", except from the store: an object is written at most once, so
    writing it again is always safe.
    """
    if isinstance(error, ClientError):
        meaning = _meaning_of_code(error, provider, sender)
    elif isinstance(error, NEVER_LEFT):
        meaning = NOT_REACHED
    elif isinstance(error, ParamValidationError):
        meaning = REFUSED
    else:
        meaning = NO_ANSWER
    return NOT_STORED if provider is MessageProvider.STORE and meaning is NO_ANSWER else meaning


def _meaning_of_code(error: ClientError, provider: MessageProvider, sender: str) -> ErrorMeaning:
    code, text = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "").lower()
    for phrase, meaning in MEANINGS[provider].get(code, {}).items():
        if phrase in text:
            # SES names the addresses that aren't verified. In its sandbox that may be the recipient's alone.
            ours = not sender or sender.lower() in text
            return SANDBOX if phrase == "not verified" and not ours else meaning
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", SERVER_ERROR)
    if status >= SERVER_ERROR:
        return NO_ANSWER
    if status == TOO_MANY_REQUESTS:
        return SLOWER
    return NO_ACCESS if status in FORBIDDEN else REFUSED
