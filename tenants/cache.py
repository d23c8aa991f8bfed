"""Cache keys that no two tenants can share (S11, ISO-25, ISO-26)."""

import hashlib

from tenants.scope import current_scope


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Return the stored key: whose it is, then a digest of the name. Raises NoScope outside a scope."""
    scope = current_scope()
    owner = str(scope.tenant_id) if scope.tenant_id else scope.kind
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"v{version}:{scope.schema}:{owner}:{key_prefix}{digest}"
