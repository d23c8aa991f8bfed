"""How a company comes into being: runs, steps, schemas."""
