"""Scanners over the template, and what was decided about each of their findings; see docs/audit.md."""
