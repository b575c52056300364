"""The crash harness: what `make chaos` runs; see docs/delivery.md."""
