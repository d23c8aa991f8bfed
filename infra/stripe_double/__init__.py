"""A local stand-in for Stripe: API, browser script, hosted pages, signed webhooks, on the loopback only."""
