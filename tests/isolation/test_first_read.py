"""Scope, proof and a page's first read travel as one message; nothing of it counts before the proof is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from portal.accounts.client import Client as BrowserFacts
from portal.accounts.models import PortalSession, PortalUser
from portal.accounts.sessions import NewSession, cookie_name, hash_token, start_session
from portal.customers.models import Customer
from tenants import context as tenancy
from tenants.backend.refusals import NotARead, ScopeNotApplied
from tenants.context import IdentityMismatch, prove_and_read, prove_tenant
from tenants.models import Hold, Tenant
from tenants.scope import control_scope, enter, make_tenant_scope, tenant_scope
from tests.cast import ACME, GLOBEX, NOW
from tests.conftest import HostClient

A = "t_ac3e00000000000000000001"
B = "t_610be8000000000000000002"
ACME_HOST = "acme.portal.localhost"


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what is sent to the database, message by message."""
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


def sign_in(browser: HostClient) -> NewSession:
    """Give a browser of Acme's host Alice's session."""
    with tenant_scope(ACME, A):
        alice = PortalUser.objects.get(email="alice@example.com")
        client = BrowserFacts("203.0.113.9", "a test", "request")
        session = start_session(user=alice, tenant_id=ACME, client=client, now=timezone.now())
    browser.cookies[cookie_name()] = session.token
    return session


# -- one round trip ----------------------------------------------------------------------------------------


def test_a_page_begins_with_one_message_of_scope_proof_and_session(acme_client: HostClient) -> None:
    """ISO-03: the proof costs no round trip of its own, and the session is read only once."""
    sign_in(acme_client)
    assert acme_client.get("/").status_code == 200
    with statements() as sent:
        assert acme_client.get("/").status_code == 200
    first, *others = sent
    scope, proof, session = (first.index(word) for word in ("set_config", "gate.prove()", "accounts_portalsession"))
    assert scope < proof < session
    assert not any("set_config" in sql or "accounts_portalsession" in sql for sql in others)


def test_a_page_of_nobody_is_proven_all_the_same(acme_client: HostClient) -> None:
    """ISO-03."""
    acme_client.get("/sign-in")
    with statements() as sent:
        assert acme_client.get("/sign-in").status_code == 200
    assert "gate.prove()" in sent[0]
    assert "accounts_portalsession" not in sent[0]


def test_what_was_read_beside_the_proof_is_used_once(acme_client: HostClient) -> None:
    """AUN-09: whoever asks again after a sign-out asks the database."""
    session = sign_in(acme_client)
    with statements() as sent:
        assert acme_client.post("/sign-out").status_code == 303
    assert sum('FROM "accounts_portalsession"' in sql for sql in sent) == 1
    with tenant_scope(ACME, A):
        assert PortalSession.objects.get(pk=session.id).ended_at is not None
    assert acme_client.get("/").status_code == 302


def test_a_session_of_another_company_opens_nothing_here(globex_client: HostClient) -> None:
    """ISO-05: the same cookie on another host."""
    sign_in(globex_client)
    assert globex_client.get("/").status_code == 302


# -- nothing before the proof ------------------------------------------------------------------------------


@pytest.mark.parametrize(("tenant", "schema"), [(ACME, B), (UUID(int=7), A)], ids=["other schema", "other tenant"])
def test_what_was_read_in_a_schema_that_is_not_the_tenants_is_never_handed_out(
    db: None, tenant: UUID, schema: str
) -> None:
    """S7, ISO-03: the connection is thrown away with it."""
    seen: list[str] = []
    with tenant_scope(tenant, schema), pytest.raises(IdentityMismatch):
        prove_and_read(tenant, NOW, lambda: seen.extend(Customer.objects.values_list("name", flat=True)))
    assert seen == []
    assert connection.connection is None


def test_what_was_read_in_the_right_schema_is(acme: object) -> None:
    """The two tests beside this one can see a name when there is one."""
    seen: list[str] = []
    prove_and_read(ACME, NOW, lambda: seen.extend(Customer.objects.values_list("name", flat=True)))
    assert "Alice Archer" in seen


def test_the_middleware_forgets_a_place_that_proves_wrong(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """ISO-03: a wrong entry ends in an error, never in another company's page."""
    places = {"acme": tenancy.Place(ACME, B)}
    monkeypatch.setattr(tenancy, "_places", places)
    client = HostClient(ACME_HOST, raise_request_exception=False)
    answer = client.get("/sign-in")
    assert answer.status_code == 500
    assert b"Globex" not in answer.content
    assert places == {}


def test_a_scope_that_cannot_be_entered_lets_no_read_run(db: None) -> None:
    """ISO-01, D20: the read must not run on the path of before."""
    seen: list[str] = []
    with tenant_scope(ACME, A):
        assert Customer.objects.count() == 2
    with enter(make_tenant_scope(GLOBEX, "t_00000000000000000000dead")), pytest.raises(ScopeNotApplied):
        prove_and_read(GLOBEX, NOW, lambda: seen.extend(Customer.objects.values_list("name", flat=True)))
    assert seen == []
    assert connection.connection is None


def test_a_read_that_fails_takes_the_scope_with_it(db: None) -> None:
    """ISO-01: the server undoes the whole message, so nothing may go on believing in the scope."""

    def read() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    with tenant_scope(ACME, A), pytest.raises(ScopeNotApplied):
        prove_and_read(ACME, NOW, read)
    assert connection.connection is None


def test_nothing_but_one_read_of_the_same_scope_travels_with_the_proof(acme: object) -> None:
    """Whether the company is open is not known yet: nothing may be written, and nothing of elsewhere read."""

    def write() -> None:
        Customer.objects.update(name="Mallory")

    def look_elsewhere() -> None:
        with control_scope():
            Tenant.objects.count()

    def stream() -> None:
        list(Customer.objects.iterator())

    def several() -> None:
        with connection.cursor() as cursor:
            cursor.executemany("SELECT %s", [[1], [2]])

    for misuse in (write, look_elsewhere, stream, several):
        with pytest.raises(NotARead), transaction.atomic():
            prove_and_read(ACME, NOW, misuse)
    context, names = prove_and_read(ACME, NOW, lambda: list(Customer.objects.values_list("name", flat=True)))
    assert "Mallory" not in names
    assert context.tenant.slug == "acme"


def test_a_percent_sign_in_the_read_is_not_a_parameter(acme: object) -> None:
    """The read may come with parameters or without."""

    def read(sql: str, params: list[str] | None) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()

    assert prove_and_read(ACME, NOW, lambda: read("SELECT '5 %', 7 % 4", None))[1] == ("5 %", 3)
    assert prove_and_read(ACME, NOW, lambda: read("SELECT %s || '%%'", ["5 "]))[1] == ("5 %",)


def test_a_company_that_is_held_has_nothing_written_to_it(acme_client: HostClient) -> None:
    """The door is decided before anything is noted on the session that was read along."""
    session = sign_in(acme_client)
    long_ago = timezone.now() - timedelta(hours=2)
    with tenant_scope(ACME, A):
        PortalSession.objects.filter(pk=session.id).update(last_seen_at=long_ago)
    with control_scope():
        hold = Hold.objects.create(tenant_id=ACME, kind="security", reason="a test", opened_by="a test", opened_at=NOW)
    assert acme_client.get("/").status_code == 503
    with tenant_scope(ACME, A):
        assert PortalSession.objects.get(pk=session.id).last_seen_at == long_ago
    with control_scope():
        hold.delete()
    assert acme_client.get("/").status_code == 200
    with tenant_scope(ACME, A):
        assert PortalSession.objects.get(pk=session.id).last_seen_at > long_ago
        assert PortalSession.objects.filter(token_hash=hash_token(session.token)).count() == 1


# -- the proof itself --------------------------------------------------------------------------------------


def test_the_proof_finds_its_tenant_by_an_index_and_with_the_callers_rights(acme: object) -> None:
    """Ten thousand companies must not make each request slower; the function lends nobody its owner's rights."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM gate.me")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
        cursor.execute("SELECT prosecdef, proconfig FROM pg_proc WHERE oid = 'gate.prove()'::regprocedure")
        definer, config = cursor.fetchone()
    assert "on tenants_tenant t" in plan
    assert "Seq Scan on tenants_tenant" not in plan
    assert definer is False
    assert config == ["search_path=pg_catalog"]


def test_what_was_proven_before_is_not_proven_again_for_another_tenant(db: None) -> None:
    """The function keeps its plan over tenants; its answer follows the role."""
    for _ in range(3):
        for tenant, schema, slug in ((ACME, A, "acme"), (GLOBEX, B, "globex")):
            with tenant_scope(tenant, schema):
                assert prove_tenant(tenant, NOW).tenant.slug == slug


def test_what_is_worked_out_once_follows_every_change_of_the_answer(db: None) -> None:
    """ISO-03: the database answers each request; only the reading of an answer that is the same is kept."""
    with tenant_scope(ACME, A):
        first, second = prove_tenant(ACME, NOW), prove_tenant(ACME, NOW)
    assert first.tenant is second.tenant
    with control_scope():
        Tenant.objects.filter(pk=ACME).update(display_name="Acme & Sons", service_mode="maintenance")
    with tenant_scope(ACME, A):
        third = prove_tenant(ACME, NOW)
    assert (third.tenant.display_name, third.access.door) == ("Acme & Sons", "maintenance")
    assert (first.tenant.display_name, first.access.door) != (third.tenant.display_name, third.access.door)
