"""Customers, their contacts and service addresses."""
