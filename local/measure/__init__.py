"""Measurements: cold starts, mutants, pictures."""
