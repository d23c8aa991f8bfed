"""Rows that know whose they are: a record or query of one tenant refuses to work in another (ISO-07, D04-D06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from tenants.scope import scope_or_none

Row = TypeVar("Row", bound=models.Model)


class WrongTenant(RuntimeError):
    """A record or query of one tenant was used in the scope of another."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} belongs to another tenant than the one being served.")


def _here() -> UUID | None:
    scope = scope_or_none()
    return scope.tenant_id if scope else None


class TenantQuerySet(models.QuerySet[Row]):
    """A query set that is evaluated only in the tenant in which it was built."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant = _here()

    def _clone(self) -> Any:
        clone = super()._clone()  # type: ignore[misc]
        clone._tenant = self._tenant or _here()
        return clone

    def _refuse_foreign(self) -> None:
        if self._tenant is not None and self._tenant != _here():
            raise WrongTenant(f"This query of {self.model.__name__}")

    def _fetch_all(self) -> None:
        self._refuse_foreign()
        super()._fetch_all()

    def _iterator(self, *args: Any, **kwargs: Any) -> Iterator[Row]:
        for row in super()._iterator(*args, **kwargs):  # type: ignore[misc]
            self._refuse_foreign()
            yield row

    def count(self) -> int:
        self._refuse_foreign()
        return super().count()

    def exists(self) -> bool:
        self._refuse_foreign()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._refuse_foreign()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._refuse_foreign()
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_foreign()
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class TenantManager(models.Manager[Row]):
    """Hands out query sets that know their tenant."""

    def get_queryset(self) -> TenantQuerySet[Row]:
        """Return a query set stamped with the tenant that is served now."""
        return TenantQuerySet(self.model, using=self._db)


class TenantModel(models.Model):
    """Base of every model in a tenant schema."""

    objects = TenantManager()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant = _here()

    def _refuse_foreign(self) -> None:
        if self._tenant != _here():
            raise WrongTenant(f"This {type(self).__name__}")

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, unless it belongs to another tenant."""
        self._refuse_foreign()
        super().save_base(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, unless it belongs to another tenant."""
        self._refuse_foreign()
        return super().delete(*args, **kwargs)

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Read the row again, unless it belongs to another tenant."""
        self._refuse_foreign()
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
