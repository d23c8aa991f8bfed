"""Receives Stripe's events and works them off."""
