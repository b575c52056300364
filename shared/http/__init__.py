"""What every HTTP function does alike: routes, problem details, the caller, idempotency, cursors."""
