"""Who may see what: grants and the visibility policy."""
