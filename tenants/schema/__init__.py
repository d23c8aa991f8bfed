"""Tables that every tenant schema has before any feature: identity, outbox, audit, keys, numbers."""
