"""The function manage; see docs/architecture.md."""
