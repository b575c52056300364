"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache

from functions.send_webhooks.receivers import Receivers
from functions.send_webhooks.settings import SendWebhooksSettings
from shared.messaging import clients
from shared.messaging.webhook_secrets import WebhookSecrets
from shared.storage.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class SendWebhooksPorts:
    """The function's settings, the endpoints and deliveries, what signs them, and what calls receivers."""

    settings: SendWebhooksSettings
    webhooks: Webhooks
    secrets: WebhookSecrets
    receivers: Receivers


@cache
def ports() -> SendWebhooksPorts:
    """Read the settings and make the clients."""
    settings = SendWebhooksSettings.from_environment()
    return SendWebhooksPorts(
        settings=settings,
        webhooks=Webhooks(clients.dynamodb(), settings.table_name),
        secrets=WebhookSecrets(clients.kms(), settings.webhook_key),
        receivers=Receivers(loopback=settings.webhooks_to_loopback),
    )
