"""The front door: TLS, limits, and each company's host always to the same web process."""
