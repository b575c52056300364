"""What an account's ledger, contacts and worklist say, and what changes them."""
