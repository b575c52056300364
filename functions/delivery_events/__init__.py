"""The function delivery_events; see docs/architecture.md."""
