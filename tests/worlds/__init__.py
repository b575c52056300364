"""What tests stand on: examples, fakes, and small worlds in which the product runs."""
