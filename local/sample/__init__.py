"""Made-up statement files, with what is expected of them."""
