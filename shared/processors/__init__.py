"""Payment processors, and the secrets by which we are known to them."""
