"""The function payment_link; see docs/architecture.md."""
