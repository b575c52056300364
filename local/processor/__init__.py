"""The simulated payment processor."""
