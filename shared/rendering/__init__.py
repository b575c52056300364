"""Turning a notice into words: the template environment, the templates, translations."""
