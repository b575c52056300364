"""The demo: sixty days of two practices."""
