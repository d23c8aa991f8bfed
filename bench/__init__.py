"""Benchmarks of the product, each beside whatever does the same work as it comes."""
