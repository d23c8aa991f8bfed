"""Priced offers with options: made by the office, approved, declined or sent back by customers (EST-01…07)."""
