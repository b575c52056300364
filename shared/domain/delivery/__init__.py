"""What a channel is handed, and what comes back from the provider."""
