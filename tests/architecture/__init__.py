"""Proves what the house style promises about the source itself."""
