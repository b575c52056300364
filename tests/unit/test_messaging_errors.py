"""What providers' errors mean: whether the message may be sent again is the question that matters."""

from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
)

from shared.domain.delivery.orders import Postponed, ProviderAnswer, Rejected, Unanswered
from shared.messaging.errors import EVERYWHERE, MEANINGS, NEVER_LEFT, ErrorClass, MessageProvider, answer_of, meaning_of
from tests.worlds.bounds import some

EMAIL, TEXT, STORE = MessageProvider.EMAIL, MessageProvider.TEXT, MessageProvider.STORE
SENDER = "billing@dunlin.example"

THROTTLE, QUOTA, STOPPED = ErrorClass.THROTTLE, ErrorClass.DAILY_QUOTA, ErrorClass.STOPPED
PERMANENT, REFUSED = ErrorClass.PERMANENT, ErrorClass.REFUSED
NOT_SENT, UNKNOWN = ErrorClass.NOT_SENT, ErrorClass.UNKNOWN


def client_error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # what matters of it
        "SendEmail",
    )


# --- by code ---------------------------------------------------------------------------------------------------

OF_SES = [
    ("AccountSuspendedException", "Your account's ability to send email has been permanently restricted.", STOPPED),
    ("SendingPausedException", "Sending paused for this account.", STOPPED),
    ("SendingPausedException", "Configuration set sending is paused.", STOPPED),
    ("MailFromDomainNotVerifiedException", "The sending domain isn't verified.", STOPPED),
    ("NotFoundException", "Configuration set <dunlin> does not exist.", STOPPED),
    ("MessageRejected", f"Email address is not verified. The following identities failed: {SENDER}", STOPPED),
    ("MessageRejected", "Email address is not verified. The following identities failed: x@y.example", NOT_SENT),
    ("MessageRejected", "Sending suspended for this account.", STOPPED),
    ("MessageRejected", "Sending paused for this account.", STOPPED),
    ("MessageRejected", "Illegal content", REFUSED),
    ("BadRequestException", "Configuration set <dunlin> does not exist.", STOPPED),
    ("BadRequestException", f"Email address is not verified: {SENDER}", STOPPED),
    ("BadRequestException", "Domain contains illegal character", PERMANENT),
    ("BadRequestException", "Local address contains control or whitespace", PERMANENT),
    ("BadRequestException", "Invalid tag", REFUSED),
]
OF_SNS = [
    ("AuthorizationError", "not authorized to perform: SNS:Publish", STOPPED),
    ("InvalidSecurity", "", STOPPED),
    ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +1555 is not valid to publish to", PERMANENT),
    ("InvalidParameter", "Invalid parameter: PhoneNumber is opted out", PERMANENT),
    ("InvalidParameter", "Invalid parameter: Message too long", REFUSED),
    ("OptedOut", "", PERMANENT),
    ("ParameterValueInvalid", "PhoneNumber", PERMANENT),
    ("ParameterValueInvalid", "AWS.SNS.SMS.SMSType", REFUSED),
    ("ValidationException", "PhoneNumber", PERMANENT),
    ("ValidationException", "Message", REFUSED),
    ("NotFound", "", STOPPED),
    ("EndpointDisabled", "", STOPPED),
    ("PlatformApplicationDisabled", "", STOPPED),
    ("KMSAccessDenied", "", STOPPED),
    ("KMSDisabled", "", STOPPED),
    ("KMSInvalidState", "", STOPPED),
    ("KMSNotFound", "", STOPPED),
    ("KMSOptInRequired", "", STOPPED),
    ("KMSThrottling", "", THROTTLE),
]
OF_S3 = [
    ("AccountProblem", "", STOPPED),
    ("AllAccessDisabled", "", STOPPED),
    ("NoSuchBucket", "", STOPPED),
    ("KMS.DisabledException", "", STOPPED),
    ("KMS.KMSInvalidStateException", "", STOPPED),
    ("KMS.NotFoundException", "", STOPPED),
    ("KMS.ThrottlingException", "", THROTTLE),
    ("SlowDown", "Please reduce your request rate.", THROTTLE),
    ("ServiceUnavailable", "", THROTTLE),
    ("503", "", THROTTLE),
    ("403", "Forbidden", STOPPED),
    ("404", "Not Found", NOT_SENT),
    ("BadDigest", "", NOT_SENT),
    ("ConditionalRequestConflict", "", NOT_SENT),
    ("IncompleteBody", "", NOT_SENT),
    ("InternalError", "", NOT_SENT),
    ("OperationAborted", "", NOT_SENT),
    ("RequestTimeout", "", NOT_SENT),
    ("EntityTooLarge", "", REFUSED),
    ("InvalidRequest", "", REFUSED),
    ("MetadataTooLarge", "", REFUSED),
]
OF_ALL = [
    ("AccessDenied", "", STOPPED),
    ("AccessDeniedException", "", STOPPED),
    ("ExpiredToken", "", STOPPED),
    ("ExpiredTokenException", "", STOPPED),
    ("IncompleteSignature", "", STOPPED),
    ("InvalidAccessKeyId", "", STOPPED),
    ("InvalidClientTokenId", "", STOPPED),
    ("InvalidSignatureException", "", STOPPED),
    ("InvalidToken", "", STOPPED),
    ("MissingAuthenticationToken", "", STOPPED),
    ("MissingAuthenticationTokenException", "", STOPPED),
    ("NotAuthorized", "", STOPPED),
    ("OptInRequired", "", STOPPED),
    ("RequestExpired", "", STOPPED),
    ("RequestTimeTooSkewed", "", STOPPED),
    ("SignatureDoesNotMatch", "", STOPPED),
    ("UnrecognizedClientException", "", STOPPED),
    ("LimitExceededException", "", THROTTLE),
    ("RequestLimitExceeded", "", THROTTLE),
    ("Throttled", "", THROTTLE),
    ("ThrottledException", "", THROTTLE),
    ("Throttling", "Maximum sending rate exceeded.", THROTTLE),
    ("Throttling", "Daily message quota exceeded.", QUOTA),
    ("ThrottlingException", "Rate exceeded", THROTTLE),
    ("ThrottlingException", "Daily sending quota exceeded.", QUOTA),
    ("TooManyRequestsException", "Maximum sending rate exceeded.", THROTTLE),
    ("TooManyRequestsException", "Daily message quota exceeded.", QUOTA),
]
OWN = {EMAIL: OF_SES, TEXT: OF_SNS, STORE: OF_S3}
BY_CODE = [
    *((provider, *row) for provider, rows in OWN.items() for row in rows),
    *((provider, *row) for provider in MessageProvider for row in OF_ALL),
]


@pytest.mark.parametrize(
    ("provider", "code", "text", "error_class"),
    BY_CODE,
    ids=[f"{provider.name}-{code}-{error_class}" for provider, code, _, error_class in BY_CODE],
)
def test_each_code_has_its_class(provider: MessageProvider, code: str, text: str, error_class: ErrorClass) -> None:
    assert meaning_of(client_error(code, text), provider, SENDER).error_class is error_class


@pytest.mark.parametrize("provider", MessageProvider)
def test_no_code_of_the_table_is_without_its_example(provider: MessageProvider) -> None:
    assert {code for given, code, *_ in BY_CODE if given is provider} == set(MEANINGS[provider])
    assert {code for code, *_ in OF_ALL} == set(EVERYWHERE)


@pytest.mark.parametrize("provider", MessageProvider)
def test_each_text_that_the_table_looks_for_has_its_example(provider: MessageProvider) -> None:
    for code, phrases in some(MEANINGS[provider].items()):
        texts = [text.lower() for of, given, text, _ in BY_CODE if (of, given) == (provider, code)]
        assert code in EVERYWHERE or all(any(phrase in text for text in texts) for phrase in phrases), code


# --- without a code --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://example.com"),
        EndpointConnectionError(endpoint_url="https://example.com"),
        NoCredentialsError(),
        NoRegionError(),
        ProxyConnectionError(proxy_url="https://example.com"),
        TokenRetrievalError(provider="sso", error_msg="x"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("provider", MessageProvider)
def test_what_never_left_may_be_sent_again(error: Exception, provider: MessageProvider) -> None:
    assert type(error) in NEVER_LEFT
    assert meaning_of(error, provider).error_class is NOT_SENT


LOST = [
    ReadTimeoutError(endpoint_url="https://example.com"),
    ConnectionClosedError(endpoint_url="https://example.com"),
    SSLError(endpoint_url="https://example.com", error=OSError("eof")),
    HTTPClientError(error="reset"),
    client_error("InternalFailure", status=500),
    client_error("InternalError", status=500),
    client_error("ServiceUnavailable", status=503),
    client_error("502", status=502),
    RuntimeError("nobody foresaw this"),
]


@pytest.mark.parametrize("error", LOST, ids=str)
@pytest.mark.parametrize("provider", [EMAIL, TEXT])
def test_what_the_provider_may_have_is_never_sent_again_by_itself(error: Exception, provider: MessageProvider) -> None:
    assert meaning_of(error, provider).error_class is UNKNOWN


@pytest.mark.parametrize("error", LOST, ids=str)
def test_a_letter_may_always_be_written_again_because_it_is_there_only_once(error: Exception) -> None:
    answer = answer_of(error, STORE)
    assert isinstance(answer, Postponed)
    assert not answer.stops_channel


@pytest.mark.parametrize(
    ("status", "error_class"), [(400, REFUSED), (401, STOPPED), (403, STOPPED), (404, REFUSED), (429, THROTTLE)]
)
@pytest.mark.parametrize("provider", MessageProvider)
def test_a_code_that_nobody_knows_goes_by_its_status(
    provider: MessageProvider, status: int, error_class: ErrorClass
) -> None:
    assert meaning_of(client_error("SomethingNewException", status=status), provider).error_class is error_class


def test_a_request_that_the_client_itself_refuses_is_for_people_to_look_at() -> None:
    assert meaning_of(ParamValidationError(report="x"), EMAIL).error_class is REFUSED


# --- what follows from a class -----------------------------------------------------------------------------------


def answers_of(error_class: ErrorClass) -> set[ProviderAnswer]:
    return {
        meaning.answer
        for provider, code, text, _ in BY_CODE
        if (meaning := meaning_of(client_error(code, text), provider, SENDER)).error_class is error_class
    }


def test_too_fast_comes_back_at_instants_that_differ_from_notice_to_notice() -> None:
    for answer in some(answers_of(THROTTLE)):
        assert isinstance(answer, Postponed)
        assert answer.pause >= timedelta(minutes=1)
        assert answer.spread >= timedelta(minutes=1)
        assert not answer.stops_channel


@pytest.mark.parametrize("error_class", [STOPPED, QUOTA])
def test_what_only_an_operator_or_a_day_can_mend_stops_the_channel(error_class: ErrorClass) -> None:
    answers = answers_of(error_class)
    assert answers
    assert all(isinstance(answer, Postponed) and answer.stops_channel for answer in some(answers))


def test_a_used_up_daily_quota_waits_longer_than_a_high_rate() -> None:
    quota = answer_of(client_error("TooManyRequestsException", "Daily message quota exceeded."), EMAIL)
    rate = answer_of(client_error("TooManyRequestsException", "Maximum sending rate exceeded."), EMAIL)
    assert isinstance(quota, Postponed)
    assert isinstance(rate, Postponed)
    assert quota.pause > rate.pause + rate.spread


def test_an_address_that_cannot_be_reached_is_undeliverable_for_good() -> None:
    answers = answers_of(PERMANENT)
    assert answers
    assert all(isinstance(answer, Rejected) and answer.undeliverable for answer in some(answers))


def test_a_refused_message_says_nothing_about_the_address() -> None:
    answers = answers_of(REFUSED)
    assert answers
    assert all(isinstance(answer, Rejected) and not answer.undeliverable for answer in some(answers))


def test_what_was_not_sent_holds_nobody_else_up() -> None:
    answers = answers_of(NOT_SENT)
    assert answers
    assert all(isinstance(answer, Postponed) and not answer.stops_channel for answer in some(answers))


def test_no_word_is_never_an_order_to_try_again() -> None:
    assert all(isinstance(answer_of(error, EMAIL), Unanswered) for error in some(LOST))


def test_an_unverified_sender_stops_the_channel_wherever_the_sender_is_not_known() -> None:
    error = client_error("MessageRejected", "Email address is not verified. x@y.example")
    assert meaning_of(error, EMAIL).error_class is STOPPED


def test_no_answer_repeats_what_a_provider_wrote_because_that_may_name_a_person() -> None:
    for provider in some(MessageProvider):
        for code in [*MEANINGS[provider], "Other"]:
            answer = answer_of(client_error(code, "ada@example.com"), provider, SENDER)
            assert "ada" not in str(answer)
