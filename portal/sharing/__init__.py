"""Links that open one record to whoever holds them, without signing in (SHARE-06…10)."""
