"""The schema editor of the database backend."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql.schema import DatabaseSchemaEditor


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, without the second index that it gives every unique text for `LIKE 'x%'`: nothing asks that way.

    Each would be one more relation in every tenant's schema. A query that needs one says so in its model's Meta.
    """

    def _create_like_index_sql(self, model: Any, field: Any) -> None:
        return None
