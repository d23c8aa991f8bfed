"""Contract tests of the local stand-in for Stripe, through the real SDK and a real browser."""
