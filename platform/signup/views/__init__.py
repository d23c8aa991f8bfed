"""Pages of the apex."""
