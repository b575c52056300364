"""The function send_email; see docs/architecture.md."""
