"""People who sign in: the company's staff and its customers."""
