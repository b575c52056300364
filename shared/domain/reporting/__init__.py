"""Reports: what an account's ledger adds to them, and the tables that are made of what all accounts add."""
