"""Proves that the benchmarks run and say what they must; never how fast anything is."""
