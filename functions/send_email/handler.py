"""Sends notices by email: each message of the queue asks for one."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send_email.ports import ports
from shared.sending.queue_consumer import BatchAnswer, consume

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> BatchAnswer:
    """Entry point: a batch of the email queue."""
    sender = ports().notice_sender(len(event["Records"]))
    return consume(
        event,
        context,
        sender.deliver,
        logger,
        send_sample=sender.send_sample,
        allow_simulated_time=ports().settings.allow_simulated_time,
    )
