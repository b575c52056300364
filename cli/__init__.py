"""`dunlin`: what operators do beside the API."""
