"""The tenancy layer: who is being served, and the guard that nobody else is."""
