"""The local AWS: start it, deploy to it, feed it a sample, watch what comes out."""
