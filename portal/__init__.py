"""Everything inside a tenant schema: one folder per feature."""
