"""The function send_sms; see docs/architecture.md."""
