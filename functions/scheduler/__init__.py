"""The function scheduler; see docs/architecture.md."""
