"""A replayed schema is the migrated one, to the last constraint's name; what is not is never kept (platform.md 0.3)."""

from __future__ import annotations

from dataclasses import replace as changed

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from provisioning.blueprint import BlueprintDiffers, NotCompilable, compile_blueprint, replay
from provisioning.models import SchemaTemplate
from provisioning.schemas import create_schema, current_release, drop_schema, fingerprint, migrate_schema
from provisioning.schemas import new_schema_name as new_name
from provisioning.templates import ensure_template
from tenants.scope import control_scope, owner_scope
from tests.provisioning.schemas import alter, catalogue, schemas

pytestmark = pytest.mark.usefixtures("own_database")


def _migrated() -> str:
    name = new_name()
    create_schema(name)
    migrate_schema(name)
    return name


def _replayed() -> str:
    blueprint, _ = ensure_template(timezone.now())
    name = new_name()
    replay(blueprint, name)
    return name


def _applied(schema: str) -> list[tuple[str, str]]:
    with owner_scope(schema), connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        return cursor.fetchall()


def test_a_replayed_schema_is_the_migrated_one_in_every_fact_of_the_catalogue() -> None:
    """Columns, constraints and their names, indexes, rights, the role and who may take it (M4, R-PROV-1)."""
    migrated, replayed = _migrated(), _replayed()
    assert catalogue(replayed) ^ catalogue(migrated) == set()
    assert ("constraint", "invoices_invoice") in {row[:2] for row in catalogue(replayed)}
    assert fingerprint(replayed) == fingerprint(migrated)


def test_applied_migrations_are_rows_that_really_were_applied() -> None:
    """Never faked: the next migration finds the history it expects (M5)."""
    migrated, replayed = _migrated(), _replayed()
    assert _applied(replayed) == _applied(migrated)
    before = catalogue(replayed)
    migrate_schema(replayed)
    assert catalogue(replayed) == before


def test_compiling_what_was_replayed_gives_the_same_text() -> None:
    blueprint, _ = ensure_template(timezone.now())
    assert compile_blueprint(_replayed()) == blueprint


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE {schema}.customers_customer ADD COLUMN extra integer",
        "ALTER TABLE {schema}.customers_customer ALTER COLUMN name TYPE varchar(121)",
        "DROP INDEX {schema}.outbox_due",
        "GRANT UPDATE ON {schema}.core_auditevent TO {schema}",
        "GRANT SELECT ON {schema}.customers_customer TO porchlight_app",
        "ALTER TABLE {schema}.invoices_invoice DROP CONSTRAINT open_invoice_has_balance",
        "ALTER TABLE {schema}.customers_customer OWNER TO postgres",
        "CREATE FUNCTION {schema}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW {schema}.v AS SELECT 1",
        "GRANT UPDATE (action) ON {schema}.core_auditevent TO {schema}",
        "CREATE RULE r AS ON DELETE TO {schema}.customers_customer DO INSTEAD NOTHING",
    ],
)
def test_the_fingerprint_sees_what_was_changed_by_hand(change: str) -> None:
    schema = "t_ac3e00000000000000000001"
    before = fingerprint(schema)
    alter(change.format(schema=schema))
    assert fingerprint(schema) != before


def test_two_schemas_of_one_release_have_one_fingerprint_whatever_their_names() -> None:
    """Decided 20."""
    assert fingerprint("t_ac3e00000000000000000001") == fingerprint("t_610be8000000000000000002")
    assert fingerprint("t_ac3e00000000000000000001") == fingerprint(_replayed())


def test_no_schema_carries_an_index_that_nothing_asks() -> None:
    """Django would give every unique text a second index, for `LIKE 'x%'`."""
    blueprint, _ = ensure_template(timezone.now())
    assert "pattern_ops" not in blueprint.ddl


def test_a_text_that_makes_something_else_makes_nothing() -> None:
    """One transaction: what does not prove itself is not there, nor is its role."""
    blueprint, _ = ensure_template(timezone.now())
    name = new_name()
    with pytest.raises(BlueprintDiffers):
        replay(changed(blueprint, ddl=f"{blueprint.ddl};\nCREATE TABLE more (id integer)"), name)
    with pytest.raises(DatabaseError):
        replay(changed(blueprint, ddl=f"{blueprint.ddl};\nCREATE TABLE nonsense (id nonsense)"), name)
    assert name not in schemas()
    assert connection.is_usable()
    replay(blueprint, name)


def test_a_schema_that_exists_is_never_adopted() -> None:
    """ISO-31: not even an empty one."""
    blueprint, _ = ensure_template(timezone.now())
    name = new_name()
    alter(f"CREATE SCHEMA {name}")
    with pytest.raises(DatabaseError, match="already exists"):
        replay(blueprint, name)
    assert {row[0] for row in catalogue(name)} == {"schema"}


def test_what_has_no_words_is_refused_and_not_left_out() -> None:
    schema = "t_ac3e00000000000000000001"
    alter(f"CREATE VIEW {schema}.v AS SELECT 1")
    with pytest.raises(NotCompilable, match="relation v"):
        compile_blueprint(schema)


def test_the_template_is_built_once_and_leaves_no_schema_behind() -> None:
    """A killed builder's remains are found by the name that it announced (ISO-32)."""
    with control_scope():
        SchemaTemplate.objects.all().delete()
        left = SchemaTemplate.objects.create(
            release=current_release(), schema_name=new_name(), created_at=timezone.now()
        )
    create_schema(left.schema_name)
    before = schemas()
    _, built = ensure_template(timezone.now())
    assert built
    assert schemas() == before - {left.schema_name}
    assert ensure_template(timezone.now())[1] is False
    drop_schema(left.schema_name)
