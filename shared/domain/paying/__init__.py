"""Payment links and payments."""
