"""What a plan does to a schema is proved by what it touches, and nothing else passes; statements are folded safely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from provisioning.fence import direct_connection
from provisioning.fleet import make_plans
from provisioning.fleet_steps import quick_steps
from provisioning.fold import fold_constraints
from provisioning.models import MigrationPlan, SchemaSlot
from provisioning.proofs import DIFFERS, FUNCTIONS, TOUCHED
from provisioning.slots import read_stamp
from tenants.scope import control_scope
from tests.provisioning.schemas import alter, catalogue
from tests.provisioning.yesterday import make_fleet

NEW = 'CREATE TABLE "new" ("id" uuid NOT NULL)'
OTHER = 'CREATE TABLE "other" ("id" uuid NOT NULL)'


def _refers(table: str, to: str) -> str:
    return f'ALTER TABLE "{table}" ADD CONSTRAINT "fk" FOREIGN KEY ("id") REFERENCES "{to}" ("id") DEFERRABLE'


def test_a_constraint_of_a_new_table_becomes_part_of_it() -> None:
    folded = fold_constraints([NEW, 'CREATE INDEX "i" ON "new" ("id")', _refers("new", "old")])
    assert folded == [
        f"{NEW[:-1]}, {_refers('new', 'old').partition(' ADD ')[2]})",
        'CREATE INDEX "i" ON "new" ("id")',
    ]


@pytest.mark.parametrize("statements", [[_refers("old", "older")], [NEW, OTHER, _refers("new", "other")]])
def test_what_needs_a_later_table_or_alters_an_old_one_stays_where_it_is(statements: list[str]) -> None:
    assert fold_constraints(statements) == statements


@pytest.fixture
def server(own_database: str) -> Iterator[psycopg.Connection[Any]]:
    with direct_connection("none") as conn:
        conn.execute(FUNCTIONS)
        yield conn


@pytest.fixture
def schema(own_database: str) -> str:
    return make_fleet(companies=1)[0][0]


def _send(server: psycopg.Connection[Any], schema: str, plan: MigrationPlan) -> str:
    with control_scope():
        stamp = SchemaSlot.objects.get(schema_name=schema).stamp
    cursor = server.execute(";".join(quick_steps(schema, stamp, plan)))
    while cursor.nextset():
        continue
    return str((cursor.fetchone() or [""])[0])


def test_the_proof_of_what_was_touched_returns_the_stamp_of_the_whole(
    server: psycopg.Connection[Any], schema: str
) -> None:
    (plan,) = make_plans(timezone.now())
    assert "payments_paymentattempt" in plan.touched
    assert _send(server, schema, plan) == read_stamp(schema)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("ALTER TABLE payments_paymentattempt ADD COLUMN extra integer", DIFFERS),
        ("REVOKE DELETE ON payments_paymentattempt FROM «self»", DIFFERS),
        ("ALTER TABLE importing_transferjob ADD COLUMN extra integer", TOUCHED),
        ("DROP TABLE customers_contactpoint CASCADE", TOUCHED),
        ("CREATE TABLE extra ()", TOUCHED),
        ("CREATE FUNCTION extra() RETURNS integer LANGUAGE sql RETURN 1", TOUCHED),
        ("GRANT USAGE ON SCHEMA «self» TO porchlight_control", TOUCHED),
    ],
)
@pytest.mark.parametrize("when", ["before", "within"])
def test_whatever_else_happens_to_a_schema_is_found_and_nothing_of_it_stays(
    server: psycopg.Connection[Any], schema: str, change: str, code: str, when: str
) -> None:
    """A statement that did something else than in the rehearsal, or a schema that was changed by hand before."""
    (plan,) = make_plans(timezone.now())
    if when == "before":
        alter(f"SET search_path TO {schema}; {change.replace('«self»', schema)}")
        code = TOUCHED
    else:
        plan.statements = [*plan.statements, change]
    before = catalogue(schema)
    with pytest.raises(psycopg.Error) as refused:
        _send(server, schema, plan)
    assert refused.value.sqlstate == code
    assert catalogue(schema) == before
