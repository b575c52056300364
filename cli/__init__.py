"""`dunlin`: what operators do without the API."""
