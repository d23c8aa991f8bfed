"""What operators do, each deed with its audit row in the same transaction."""
