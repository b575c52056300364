"""What the functions share; shipped as one Lambda layer."""
