"""Days, hours and steps: when a channel may send, and which step a bill is at."""
