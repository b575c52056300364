"""Delivers events to partners' webhook endpoints: each message of the queue asks for some, all to one endpoint."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send_webhooks.deliver import ReceiverTurn
from functions.send_webhooks.ports import ports
from shared import clock as simulated_time
from shared.contracts.messages import WebhookMessage

logger = Logger()


def take(record: SQSRecord) -> None:
    """Do what one message asks for. One that can't be read fails, and goes to the dead letters in the end."""
    try:
        message = WebhookMessage.model_validate_json(record.body)
        as_of = message.as_of.isoformat() if message.as_of else None
        now = simulated_time.now(as_of, allowed=ports().settings.allow_simulated_time)
    except ValueError:
        logger.error("message not understood", extra={"message_id": record.message_id})  # noqa: TRY400 - quotes it
        raise
    try:
        ReceiverTurn(ports(), now).take(message)
    except Exception as error:
        facts = {"endpoint_id": message.endpoint_id, "error": type(error).__name__}
        logger.error("webhooks not delivered", extra=facts)  # noqa: TRY400 - a traceback could quote a URL or a secret
        raise


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the webhook queue."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
