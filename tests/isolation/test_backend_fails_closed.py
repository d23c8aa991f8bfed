"""The database guard: one scope per statement, proven, closed on any doubt."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.db.utils import ProgrammingError

from portal.customers.models import Customer
from tenants.backend.refusals import ScopeChangedInTransaction, ScopeNotApplied, StaleCursor
from tenants.models import Tenant
from tenants.rows import WrongTenant
from tenants.scope import NoScope, control_scope, enter, make_tenant_scope, tenant_scope
from tests.cast import ACME, GLOBEX

A = "t_ac3e00000000000000000001"
B = "t_610be8000000000000000002"


def test_a_statement_without_scope_is_an_error(db: None) -> None:
    """S4: no context is an error, never "public"."""
    with pytest.raises(NoScope):
        Tenant.objects.count()


def test_each_tenant_sees_its_own_rows_under_its_own_role_and_path(db: None) -> None:
    """ISO-08: exactly one schema on the path."""
    for tenant, schema, name in ((ACME, A, "Alice Archer"), (GLOBEX, B, "Charlie Chen")):
        with tenant_scope(tenant, schema), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path'), current_user")
            assert cursor.fetchone() == (schema, schema)
            assert Customer.objects.order_by("number").first().name == name  # type: ignore[union-attr]


def test_a_tenants_role_can_read_no_other_schema_and_no_control_table(acme: object) -> None:
    """ISO-04, ISO-05."""
    for statement in (f"SELECT * FROM {B}.customers_customer", "SELECT * FROM public.tenants_tenant"):
        with pytest.raises(ProgrammingError, match="denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_login_itself_can_read_nothing(db: None) -> None:
    """ISO-04, ISO-14: app_login owns nothing, may create nothing."""
    params = {k: v for k, v in connection.get_connection_params().items() if k in ("dbname", "user", "host")}
    with psycopg.connect(**params, autocommit=True) as raw:
        for statement in (
            f"SELECT * FROM {A}.customers_customer",
            "SELECT * FROM public.tenants_tenant",
            "SELECT * FROM gate.hosts",
            "CREATE TEMP TABLE x (y int)",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(statement)
        # Whoever asks the proof gets the row of its own name.
        assert raw.execute("SELECT gate.prove()").fetchone() == (None,)
        assert raw.execute("SELECT * FROM gate.settings").fetchall() == []


def test_a_scope_that_cannot_be_entered_closes_the_connection(db: None) -> None:
    """ISO-01, D20: the failed switch is never swallowed."""
    with tenant_scope(ACME, A):
        assert Customer.objects.count() == 2
    ghost = make_tenant_scope(GLOBEX, "t_00000000000000000000dead")
    with enter(ghost), pytest.raises(ScopeNotApplied):
        Customer.objects.count()
    assert connection.connection is None


def test_one_transaction_serves_one_scope(db: None) -> None:
    """Decided 16."""
    with tenant_scope(ACME, A), transaction.atomic():
        Customer.objects.count()
        with control_scope(), pytest.raises(ScopeChangedInTransaction):
            Tenant.objects.count()


def test_a_cursor_does_not_outlive_its_scope(db: None) -> None:
    """D14."""
    with tenant_scope(ACME, A):
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
    with tenant_scope(GLOBEX, B), pytest.raises(StaleCursor):
        cursor.execute("SELECT name FROM customers_customer")


def test_a_rollback_to_a_savepoint_keeps_the_scope_right(db: None) -> None:
    """D22."""
    with tenant_scope(ACME, A):
        try:
            with transaction.atomic():
                Customer.objects.count()
                raise DatabaseError
        except DatabaseError:
            pass
        assert Customer.objects.get(number="C-1001").name == "Alice Archer"
    with tenant_scope(GLOBEX, B):
        assert Customer.objects.get(number="C-1001").name == "Charlie Chen"


def test_rows_and_queries_of_one_tenant_are_refused_in_another(db: None) -> None:
    """ISO-07, D04-D06."""
    with tenant_scope(ACME, A):
        alice = Customer.objects.get(number="C-1001")
        query = Customer.objects.all()
    with tenant_scope(GLOBEX, B):
        for misuse in (
            alice.save,
            alice.delete,
            alice.refresh_from_db,
            query.count,
            lambda: list(query),
            query.exists,
        ):
            with pytest.raises(WrongTenant):
                misuse()


def test_facts_cannot_be_changed_by_the_role_that_serves(acme: object) -> None:
    """PAY-15: the journal is append-only by privilege."""
    for table in ("payments_journal", "core_auditevent"):
        with pytest.raises(ProgrammingError, match="denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
