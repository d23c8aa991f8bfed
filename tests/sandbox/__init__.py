"""The payment scenarios against a sandbox of Stripe itself; docs/sandbox.md says how."""
