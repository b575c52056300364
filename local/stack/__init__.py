"""The local AWS: build, deploy, start, stop, watch."""
