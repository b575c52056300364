"""Consent by text: STOP, START, HELP, and whom a text was about."""
