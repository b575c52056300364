"""Receives the providers' delivery reports, and the texts that recipients send."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.delivery_events.ports import ports

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> None:
    """Entry point: SNS calls it once an event, CloudWatch Logs with some records, each again when it fails."""
    now = datetime.now(UTC)
    if "awslogs" in event:
        ports().texts.receive_logs(event["awslogs"]["data"], now)
        return
    for entry in event["Records"]:
        notification = entry["Sns"]
        if notification.get("TopicArn") == ports().settings.text_events_topic:
            ports().texts.receive(notification["Message"], now, notification.get("Timestamp"))
        else:
            ports().emails.receive(notification["Message"], now)
