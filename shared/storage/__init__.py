"""The only place that knows keys, item shapes and condition expressions."""
