"""AWS clients: low-level, of one session, with the retries that each service may have."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

RETRIED = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=10)
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
"""For providers: by itself the client would send up to three times when an answer is lost."""


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


def dynamodb() -> "DynamoDBClient":
    """A client of the table's service."""
    return _session().client("dynamodb", config=RETRIED)


def sqs() -> "SQSClient":
    """A client of the queues."""
    return _session().client("sqs", config=RETRIED)


def s3() -> "S3Client":
    """A client of the buckets."""
    return _session().client("s3", config=RETRIED)


def secrets_manager() -> "SecretsManagerClient":
    """A client of the secrets."""
    return _session().client("secretsmanager", config=RETRIED)


def ses() -> "SESV2Client":
    """A client of the email provider."""
    return _session().client("sesv2", config=ONCE)


def sns() -> "SNSClient":
    """A client of the text provider."""
    return _session().client("sns", config=ONCE)


def ssm() -> "SSMClient":
    """A client of the stack's parameters."""
    return _session().client("ssm", config=RETRIED)
