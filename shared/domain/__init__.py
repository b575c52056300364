"""The rules of patient billing, as pure functions over data: no I/O, no clock, no environment."""
