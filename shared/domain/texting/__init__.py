"""Consent by text: STOP, START, HELP, and which notice a text's delivery report is about."""
