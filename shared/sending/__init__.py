"""The use case of sending one notice: judge, claim, call the provider, record."""
