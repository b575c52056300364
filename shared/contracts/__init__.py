"""Pydantic models of everything that crosses a boundary: statement files, API bodies, queue messages."""
