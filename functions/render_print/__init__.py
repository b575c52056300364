"""The function render_print; see docs/architecture.md."""
