"""The function ingest; see docs/architecture.md."""
