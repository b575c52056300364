"""Hears from the providers what became of messages, and from recipients what they answer to texts."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.delivery_events.ports import ports
from shared.contracts.text_events import topic_time

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> None:
    """Entry point: SNS calls it once an event, CloudWatch Logs with some records, each again when it fails."""
    emails, texts, now = ports().emails, ports().texts, datetime.now(UTC)
    if "awslogs" in event:
        texts.hear_logs(event["awslogs"]["data"], now)
        return
    for entry in event["Records"]:
        told = entry["Sns"]
        if told.get("TopicArn") == ports().settings.text_events_topic:
            texts.hear(told["Message"], now, topic_time(told.get("Timestamp")))
        else:
            emails.hear(told["Message"], now)
