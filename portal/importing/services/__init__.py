"""What the office does with a list: upload, match the columns, check, confirm; and what the worker does then."""
