"""What every HTTP function does alike: problem details, the caller, idempotency, cursors."""
