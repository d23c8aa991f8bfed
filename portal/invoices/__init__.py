"""Invoices as the customer sees them."""
