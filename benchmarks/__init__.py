"""Benchmarks of speed and quality; each is a program."""
