"""What a channel is given to send, and what its provider answers and reports."""
