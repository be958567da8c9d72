"""Published benchmarks with their official splits."""
