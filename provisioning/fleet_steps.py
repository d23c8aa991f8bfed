"""What is sent to one schema of the fleet: a plan's statements between a lock and a proof, as one message."""

from __future__ import annotations

from provisioning.blueprint import SELF, proof
from provisioning.fence import lock_key
from provisioning.models import MigrationPlan
from provisioning.proofs import proving, remembering
from provisioning.schemas import checked

LOCK_TIMEOUT_MS = 2_000
STATEMENT_TIMEOUT_MS = 60_000
FOUND_MIGRATED = "PL002"


def _beginning(schema: str) -> list[str]:
    return [
        f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}",
        f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}",
        # Whoever else makes, judges or migrates this schema waits until the ledger knows the outcome.
        f"SELECT pg_advisory_lock({lock_key(f'schema:{schema}')})",
    ]


def _changes(schema: str, plan: MigrationPlan) -> list[str]:
    return [
        *(statement.replace(SELF, schema) for statement in plan.statements),
        "INSERT INTO django_migrations (app, name, applied) "  # noqa: S608
        f"SELECT app, name, now() FROM (VALUES {_pairs(plan)}) AS m (app, name)",
        "SET LOCAL search_path TO public",
    ]


def _pairs(plan: MigrationPlan) -> str:
    return ", ".join(f"('{app}', '{migration}')" for app, migration in plan.migrations)


def quick_steps(schema: str, stamp: str, plan: MigrationPlan) -> list[str]:
    """Return what migrates a schema whose stamp is the ledger's, and refuses any other; its value is the new stamp."""
    name = checked(schema)
    return [
        *_beginning(name),
        remembering(name, plan),
        f"SET LOCAL search_path TO {name}",
        *_changes(name, plan),
        proving(name, plan, stamp),
    ]


def cautious_steps(schema: str, plan: MigrationPlan) -> list[str]:
    """Return what migrates any schema of the old release, refuses a migrated one, and proves all of the result."""
    name = checked(schema)
    return [
        *_beginning(name),
        f"SET LOCAL search_path TO {name}",
        f"DO $found$ BEGIN IF EXISTS (SELECT FROM django_migrations WHERE (app, name) IN ({_pairs(plan)}))"
        f" THEN RAISE EXCEPTION 'found migrated' USING ERRCODE = '{FOUND_MIGRATED}'; END IF; END $found$",
        *_changes(name, plan),
        proof(name, plan.fingerprint),
    ]
