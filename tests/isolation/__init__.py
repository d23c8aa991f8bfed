"""Proves that no company ever sees another."""
