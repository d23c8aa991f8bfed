"""What nobody may write outside the tenancy layer, found in the syntax tree (ISO-06, ISO-27)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, dotted, sources

SWITCHES = {"schema_context", "tenant_context", "set_schema", "set_schema_to_public", "set_tenant", "activate"}
THREADS = {"ThreadPoolExecutor", "ProcessPoolExecutor", "Thread", "Timer", "run_in_executor", "start_new_thread"}
SETS_PATH = re.compile(
    r"\b(set|reset|alter)\b.*\bsearch_path\b|\bsearch_path\s*=|set_config\(\s*'(search_path|role)", re.I
)
SETS_ROLE = re.compile(r"^\s*(set|reset)\s+(local\s+|session\s+)?role\b", re.IGNORECASE)

# The only places beside the layer, each with its reason.
MAY = {
    ("infra/stripe_double/", "thread"): "a stand-in's server; it knows no tenant",
    ("tenants/backend/base.py", "path"): "the one switch",
    ("tenants/backend/base.py", "raw"): "the one switch",
    ("tenants/backend/cleaning.py", "path"): "takes the scope off a connection that comes from the pool",
    ("provisioning/fence.py", "path"): "a connection of its own that lives on the control plane",
    ("provisioning/fence.py", "raw"): "asks whether the connection is closed before it lets go of it",
    ("provisioning/blueprint.py", "path"): "SET LOCAL in the one transaction of the owner that fills an empty schema",
    ("provisioning/fleet_steps.py", "path"): "SET LOCAL in the one transaction of the owner that migrates one schema",
    ("provisioning/fleet.py", "thread"): "each thread opens its own scopes and its own connection",
    ("provisioning/fleet_check.py", "thread"): "each thread opens a connection of its own and no scope",
    ("tenants/rows.py", "alias"): "hands on what Django hands in",
    ("provisioning/fence.py", "thread"): "beats on that connection and touches nothing else",
    ("provisioning/fence.py", "connect"): "holds the run's lock on a connection of its own",
    ("infra/bell.py", "thread"): "listens on the broker; it knows no tenant and no database",
    ("infra/embedded/", "connect"): "prepares servers; no Django, no tenant",
    ("tenants/backend/sessions.py", "path"): "marks two connections that nobody else uses",
    ("tenants/backend/sessions.py", "connect"): "asks its caller for them",
    ("platform/config/start.py", "connect"): "two connections that are examined and closed",
    ("platform/console/doctor/base.py", "connect"): "connections that are examined and closed",
    ("platform/console/doctor/database.py", "connect"): "asks the examination for them",
    ("platform/console/doctor/rights.py", "path"): "tries what must be refused, in transactions that are taken back",
}

# Whatever lives as long as the process, and why no tenant's data can be read from it by another.
LASTING = {
    "infra.env.load_env": "this process's environment",
    "infra.stripe_client": "the client; the account is named in each call",
    "infra.crash": "names of crash points",
    "tenants.slugs._reserved": "a file of the product",
    "tenants.context._places": "host to place; every use is proven by the database",
    "tenants.context._shown": "what a proof's text says; the whole text is the key and names the tenant",
    "tenants.context._facts_of": "the same",
    "tenants.backend.recycling._met": "names of schemas that a connection has met; nothing is read from them",
    "tenants.hosts.read_host": "a reading for a Host header, nothing else goes in",
    "tenants.first_read._readers": "functions of the product",
    "tenants.activity._noted": "when a tenant was last noted; an id and a time",
    "tenants.config.snapshot": "settings by tenant id and version; both are proven in each request",
    "tenants.config.registry.REGISTRY": "what settings there are",
    "tenants.config.openfeature.client": "a client that asks for whomever its thread serves",
    "infra.sweeps.SWEEPS": "functions of the product",
    "tenants.outbox._tenant_handlers": "functions of the product",
    "tenants.outbox._control_handlers": "functions of the product",
    "portal.ui.brand": "a palette for a colour, nothing else goes in",
    "portal.importing.parsing.money": "an amount for a text, nothing else goes in",
    "portal.importing.parsing.dates": "a date for a text, nothing else goes in",
    "portal.importing.mapping": "words of the product",
    "portal.accounts.staff_services": "a hash of nothing for each hasher",
    "provisioning.schemas": "the release of the product",
    "provisioning.tasks._asked": "when a run was first asked for; an id and a time",
    "config.outbox_sweeps._asked": "when a tenant was last looked at; an id and a time",
    "console.services.sign_in._decoys": "a hash of nothing",
    "console.doctor.base._CHECKS": "functions of the product",
}


def _may(source: Source, what: str) -> bool:
    return any(source.name.startswith(place) and what == kind for place, kind in MAY)


def faults(source: Source) -> Iterator[str]:
    """Name every forbidden thing in a file."""
    for node in ast.walk(source.tree):
        where = f"{source.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if dotted(item.context_expr).rpartition(".")[2] == "tenant":
                    yield f"{where} `with tenant:` (D01)"
        if isinstance(node, ast.Call):
            name = dotted(node.func).rpartition(".")[2]
            if name in SWITCHES - {"activate"}:
                yield f"{where} {name}() is the library's switch (D02)"
            if name == "activate" and "tenant" in dotted(node.func):
                yield f"{where} {dotted(node.func)}() is the library's switch (D02)"
            if (name == "using" or any(key.arg == "using" for key in node.keywords)) and not _may(source, "alias"):
                yield f"{where} names a database (D10)"
            if name in THREADS and not _may(source, "thread"):
                yield f"{where} {name}() starts a thread without a scope (D12)"
            if dotted(node.func) in {"psycopg.connect", "connect"} and not _may(source, "connect"):
                yield f"{where} opens a connection of its own"
        if isinstance(node, ast.Attribute) and dotted(node).endswith("connection.connection"):
            if _may(source, "raw"):
                continue
            yield f"{where} goes round the guard"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in source.docstrings:
            sets = SETS_PATH.search(node.value) or SETS_ROLE.search(node.value)
            if sets and not _may(source, "path"):
                yield f"{where} sets path or role itself: {node.value[:60]!r}"


def test_nobody_switches_tenants_behind_the_layers_back() -> None:
    """ISO-06."""
    found = [fault for source in sources() for fault in faults(source)]
    assert found == []


@pytest.mark.parametrize(
    "slip",
    [
        "with tenant: pass",
        "with request.tenant: pass",
        "schema_context('x')",
        "connection.set_schema('x')",
        "connection.set_tenant(t)",
        "tenant.activate()",
        "Customer.objects.using('other')",
        "atomic(using='other')",
        "ThreadPoolExecutor()",
        "threading.Thread(target=f)",
        "connection.connection.cursor()",
        "psycopg.connect('')",
        "cursor.execute('SET search_path TO x')",
        "cursor.execute('set local search_path = x')",
        "cursor.execute(\"SELECT set_config('search_path', 'x', false)\")",
        "cursor.execute('SET ROLE t_x')",
        "cursor.execute('ALTER ROLE x SET search_path = y')",
    ],
)
def test_each_rule_finds_what_it_forbids(slip: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A rule that cannot fail proves nothing."""
    source = Source(tmp_path_factory.getbasetemp())
    object.__setattr__(source, "path", sources()[0].path.with_name("slip.py"))
    source.__dict__["tree"] = ast.parse(slip)
    assert list(faults(source)), slip


def lasting(source: Source) -> Iterator[str]:
    """Name what outlives a request: caches and containers of the module that start empty."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if dotted(called).rpartition(".")[2] in {"cache", "lru_cache", "cached_property"}:
                    yield f"{source.module}.{node.name}"
    for statement in source.tree.body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if targets and _starts_empty(statement.value):  # type: ignore[union-attr]
            yield f"{source.module}.{dotted(targets[0])}"


def _starts_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List):
        return not value.elts
    if isinstance(value, ast.Call):
        named = dotted(value.func).rpartition(".")[2]
        return named in {"dict", "set", "list", "defaultdict", "OrderedDict", "WeakValueDictionary", "deque"} and not (
            value.args and named in {"dict", "list", "set"}
        )
    return False


def test_everything_that_outlives_a_request_is_known_and_holds_no_tenants_data() -> None:
    """ISO-27: a new one is added above only with its reason."""
    found = {
        name
        for source in sources()
        if not source.name.startswith(("infra/stripe_double/", "infra/embedded/"))
        for name in lasting(source)
        if not name.endswith((".urlpatterns", ".__all__"))
    }
    unknown = {name for name in found if not any(name == known or name.startswith(f"{known}.") for known in LASTING)}
    assert unknown == set()
