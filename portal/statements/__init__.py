"""A customer's account over a period: what was invoiced, what was paid, what is open and since when."""
