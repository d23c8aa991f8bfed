"""What changes an estimate."""
