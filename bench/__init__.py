"""Benchmarks: `python -m bench` runs them all; each compares two sides in one run."""
