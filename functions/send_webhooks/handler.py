"""Delivers events to partners' webhook endpoints: each message of the queue asks for some, all to one endpoint."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send_webhooks.deliver import ReceiverTurn
from functions.send_webhooks.ports import ports
from shared import clock as simulated_time
from shared.sending.queue_consumer import BatchAnswer, batch_answer

logger = Logger()


def took(record: dict[str, Any]) -> bool:
    """Do what one message asks for. False: it failed; one that can't be read goes to the dead letters in the end."""
    from shared.contracts.messages import WebhookMessage  # noqa: PLC0415 - pydantic: the start needs none

    try:
        message = WebhookMessage.model_validate_json(record["body"])
        as_of = message.as_of.isoformat() if message.as_of else None
        now = simulated_time.now(as_of, allowed=ports().settings.allow_simulated_time)
    except ValueError:
        logger.error("message not understood", extra={"message_id": record["messageId"]})  # noqa: TRY400 - quotes it
        return False
    try:
        ReceiverTurn(ports(), now).take(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other messages must go on
        facts = {"endpoint_id": message.endpoint_id, "error": type(error).__name__}
        logger.error("webhooks not delivered", extra=facts)  # noqa: TRY400 - a traceback could quote a URL or a secret
        return False
    return True


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> BatchAnswer:
    """Entry point: a batch of the webhook queue."""
    return batch_answer(event, took)
