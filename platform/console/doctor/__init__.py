"""`porchlight doctor`: proves on the running stack what the design takes for granted (platform.md 3.11)."""
