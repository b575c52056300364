"""AWS clients: low-level, one of each in a process, with the retries that each service may have.

Made by botocore itself: boto3's session also loads its resource layer, which nothing here uses.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

from shared.messaging import service_models

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

RETRIED = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=10)
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
"""For providers: by itself the client would send up to three times when an answer is lost."""

WAITED_FOR = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=25)
"""For a function that is called while a browser waits: the gateway waits for 29 seconds."""

SIGNED = RETRIED.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
"""For buckets. Addresses that are signed beforehand name the bucket's own region, and are signed by version 4: a bucket
encrypted by KMS asks for that, and one in another region would answer the global address with a redirect."""


@cache
def _session() -> Session:
    return service_models.session()


@cache
def _client(service: str, config: Config) -> Any:  # noqa: ANN401 - botocore makes each service's client at run time
    return _session().create_client(service, config=config)


def dynamodb() -> "DynamoDBClient":
    """A client of the table's service."""
    client: DynamoDBClient = _client("dynamodb", RETRIED)
    return client


def sqs() -> "SQSClient":
    """A client of the queues."""
    client: SQSClient = _client("sqs", RETRIED)
    return client


def logs() -> Any:  # noqa: ANN401 - only a command reads logs, which isn't worth another package of types
    """A client of the functions' logs."""
    return _client("logs", RETRIED)


def s3() -> "S3Client":
    """A client of the buckets."""
    client: S3Client = _client("s3", SIGNED)
    return client


def lambda_functions(*, waited_for: bool = False) -> "LambdaClient":
    """A client that calls functions of the stack. waited_for: a browser waits for the answer."""
    client: LambdaClient = _client("lambda", WAITED_FOR if waited_for else RETRIED)
    return client


def ses() -> "SESV2Client":
    """A client of the email provider."""
    client: SESV2Client = _client("sesv2", ONCE)
    return client


def sns() -> "SNSClient":
    """A client of the text provider."""
    client: SNSClient = _client("sns", ONCE)
    return client


def kms() -> Any:  # noqa: ANN401 - two calls aren't worth another package of types
    """A client of the keys that secrets are encrypted with."""
    return _client("kms", RETRIED)


def ssm() -> "SSMClient":
    """A client of the stack's parameters."""
    client: SSMClient = _client("ssm", RETRIED)
    return client


def secrets() -> "SecretsManagerClient":
    """A client of the secrets that processors know us by."""
    client: SecretsManagerClient = _client("secretsmanager", RETRIED)
    return client
