"""The function send_webhooks; see docs/architecture.md."""
