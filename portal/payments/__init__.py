"""Money from customers: attempts, payments, journal."""
