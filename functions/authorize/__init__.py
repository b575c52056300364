"""The function authorize; see docs/architecture.md."""
