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
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

from shared.domain.delivery import Postponed, Rejected, Unanswered
from shared.messaging.errors import MEANINGS, Provider, answer_of

EMAIL, TEXT, STORE = Provider.EMAIL, Provider.TEXT, Provider.STORE


def client_error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # what matters of it
        "SendEmail",
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TooManyRequestsException", "Maximum sending rate exceeded."),
        ("ThrottlingException", "Rate exceeded"),
        ("SendingPausedException", "paused"),
        ("AccountSuspendedException", "suspended"),
        ("MailFromDomainNotVerifiedException", ""),
        ("MessageRejected", "Email address is not verified. The following identities failed the check"),
        ("NotFoundException", "Configuration set <dunlin> does not exist."),
        ("AccessDeniedException", ""),
        ("ExpiredTokenException", ""),
    ],
)
def test_what_only_time_or_an_operator_can_mend_is_tried_again_later(code: str, message: str) -> None:
    answer = answer_of(client_error(code, message), EMAIL)
    assert isinstance(answer, Postponed)
    assert answer.pause >= timedelta(minutes=1)


def test_a_used_up_daily_quota_waits_longer_than_a_high_rate() -> None:
    quota = answer_of(client_error("TooManyRequestsException", "Daily message quota exceeded."), EMAIL)
    rate = answer_of(client_error("TooManyRequestsException", "Maximum sending rate exceeded."), EMAIL)
    assert isinstance(quota, Postponed)
    assert isinstance(rate, Postponed)
    assert quota.pause > rate.pause


@pytest.mark.parametrize(
    ("code", "message", "provider"),
    [
        ("BadRequestException", "Domain contains illegal character", EMAIL),
        ("BadRequestException", "Local address contains control or whitespace", EMAIL),
        ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +1555 is not valid to publish to", TEXT),
        ("InvalidParameter", "Invalid parameter: PhoneNumber is opted out", TEXT),
        ("OptedOut", "", TEXT),
    ],
)
def test_an_address_that_cannot_be_reached_is_undeliverable_for_good(
    code: str, message: str, provider: Provider
) -> None:
    answer = answer_of(client_error(code, message), provider)
    assert isinstance(answer, Rejected)
    assert answer.undeliverable


@pytest.mark.parametrize(
    "error",
    [
        client_error("MessageRejected", "Illegal content"),
        client_error("BadRequestException", "Invalid tag"),
        client_error("SomethingNewException"),
        ParamValidationError(report="x"),
    ],
)
def test_a_refused_message_is_for_people_to_look_at_and_says_nothing_about_the_address(error: Exception) -> None:
    answer = answer_of(error, EMAIL)
    assert isinstance(answer, Rejected)
    assert not answer.undeliverable


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://example.com"),
        ConnectTimeoutError(endpoint_url="https://example.com"),
        NoCredentialsError(),
    ],
)
def test_what_never_left_may_be_sent_again(error: Exception) -> None:
    assert isinstance(answer_of(error, EMAIL), Postponed)


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://example.com"),
        ConnectionClosedError(endpoint_url="https://example.com"),
        SSLError(endpoint_url="https://example.com", error=OSError("eof")),
        HTTPClientError(error="reset"),
        client_error("InternalError", status=500),
        client_error("ServiceUnavailable", status=503),
        client_error("502", status=502),
        RuntimeError("nobody foresaw this"),
    ],
)
def test_what_the_provider_may_have_is_never_sent_again_by_itself(error: Exception) -> None:
    assert isinstance(answer_of(error, EMAIL), Unanswered)
    assert isinstance(answer_of(error, TEXT), Unanswered)


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://example.com"),
        client_error("InternalError", status=500),
        client_error("SlowDown", status=503),
        client_error("ConditionalRequestConflict", status=409),
        client_error("NoSuchBucket", status=404),
    ],
)
def test_a_letter_may_always_be_written_again_because_it_is_there_only_once(error: Exception) -> None:
    assert isinstance(answer_of(error, STORE), Postponed)


def test_no_answer_repeats_what_a_provider_wrote_because_that_may_name_a_person() -> None:
    for code in [*MEANINGS, "Other"]:
        answer = answer_of(client_error(code, "ada@example.com"), EMAIL)
        assert "ada" not in str(answer)
