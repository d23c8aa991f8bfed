"""Mail to customers and staff."""
