"""What a statement or a payment update does to an account."""
