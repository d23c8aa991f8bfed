"""Stripe's published OpenAPI document, cut down to what the double serves, and what holds the double to it."""
