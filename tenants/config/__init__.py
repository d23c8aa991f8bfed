"""Typed settings and flags of a tenant."""
