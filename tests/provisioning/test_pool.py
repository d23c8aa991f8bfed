"""Schemas in stock: one builder, one taker each, none that was tampered with, none left lying (platform.md 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from provisioning.models import SchemaSlot, SchemaTemplate
from provisioning.pool import clean_pool, fill_pool, pool_status
from provisioning.schemas import create_schema, current_release, fingerprint
from provisioning.slots import announce_slot, claim_slot, read_stamp
from provisioning.stamps import stamp_of
from provisioning.steps import build_slot
from provisioning.steps.base import Task
from provisioning.tasks import sweep_dirty_slots, sweep_pool
from tenants.models import SettingValue
from tenants.scope import control_scope
from tests.faults.companies import begin_company
from tests.provisioning.schemas import alter, schemas, superuser

pytestmark = pytest.mark.usefixtures("own_database")
T = TypeVar("T")


def _set_target(count: int) -> None:
    with control_scope():
        SettingValue.objects.filter(key="platform.pool_target").update(value=count)


def _stock(count: int) -> list[str]:
    fill_pool(now=timezone.now(), count=count, target=count)
    return _in_state("ready")


def _in_state(state: str) -> list[str]:
    with control_scope():
        return list(SchemaSlot.objects.filter(state=state, claimed_by_run=None).values_list("schema_name", flat=True))


def _at_once(count: int, work: Callable[[], T]) -> list[T]:
    gate = Barrier(count)

    def one() -> T:
        try:
            with control_scope(), connection.cursor():
                gate.wait(20)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return [each.result() for each in [threads.submit(one) for _ in range(count)]]


def _build(run_id: UUID) -> dict[str, object]:
    return build_slot.act(Task(run_id, uuid4(), 1, timezone.now()))


def test_the_pool_is_filled_one_by_one_up_to_its_target_and_no_further() -> None:
    _set_target(2)
    assert [sweep_pool(timezone.now()) for _ in range(4)] == [1, 1, 0, 0]
    status = pool_status()
    assert (status.ready, status.building, status.dirty, status.is_low) == (2, 0, 0, False)
    with control_scope():
        template = SchemaTemplate.objects.get(release=current_release())
    assert {fingerprint(name) for name in _in_state("ready")} == {template.fingerprint}


def test_nobody_builds_while_somebody_does() -> None:
    """Two controllers cannot start two waves of refilling."""
    _set_target(3)
    assert sum(_at_once(4, lambda: fill_pool(now=timezone.now()))) + fill_pool(now=timezone.now(), count=5) == 3
    assert len(_in_state("ready")) == 3


def test_a_waiting_schema_is_handed_out_at_once_and_only_once() -> None:
    """Ten take from six: six different ones, four leave with nothing (M2)."""
    stock = _stock(6)
    taken = _at_once(10, lambda: claim_slot(uuid4()))
    assert sorted(filter(None, taken)) == sorted(stock)
    assert taken.count(None) == 4


def test_an_empty_pool_is_no_obstacle_and_is_no_secret() -> None:
    """Acceptance check 10: those for whom nothing waits get one built, and the step's result says so."""
    stock = _stock(2)
    runs = iter([begin_company(f"empty-{number}") for number in range(5)])
    results = _at_once(5, lambda: _build(next(runs)))
    made = {str(result["schema"]) for result in results}
    assert len(made) == 5
    assert sorted(str(result["schema"]) for result in results if result["from_pool"]) == sorted(stock)
    assert len({fingerprint(name) for name in made}) == 1


def test_a_company_asks_twice_and_gets_the_same_schema() -> None:
    _stock(2)
    run_id = uuid4()
    assert _build(run_id)["schema"] == _build(run_id)["schema"]
    assert len(_in_state("ready")) == 1


@pytest.mark.parametrize("found_by", ["claim", "janitor"])
def test_a_schema_that_was_changed_by_hand_is_never_handed_out_and_is_replaced(found_by: str) -> None:
    """Acceptance check 20."""
    _set_target(2)
    first, second = _stock(2)
    alter(f"ALTER TABLE {first}.customers_customer ADD COLUMN extra integer")
    if found_by == "claim":
        assert claim_slot(uuid4()) == second
        assert _in_state("dirty") == [first]
    assert sweep_dirty_slots(timezone.now()) == 1
    while sweep_pool(timezone.now()):
        pass
    assert first not in schemas()
    assert _in_state("dropped") == [first]
    assert first not in _in_state("ready")
    assert (pool_status().ready, pool_status().dirty) == (2, 0)


CHANGES = (
    "ALTER TABLE {}.customers_customer ADD COLUMN extra integer",
    "ALTER TABLE {}.customers_customer ALTER COLUMN name TYPE varchar(9)",
    "ALTER TABLE {}.customers_customer ALTER COLUMN name DROP NOT NULL",
    "ALTER TABLE {}.customers_customer ALTER COLUMN name SET DEFAULT 'x'",
    "CREATE INDEX extra ON {}.customers_customer (name)",
    "ALTER TABLE {}.customers_customer ADD CONSTRAINT extra CHECK (name <> 'x')",
    "ALTER TABLE {}.customers_customer RENAME COLUMN name TO other",
    "CREATE TABLE {}.extra ()",
    "DROP TABLE {}.customers_contactpoint CASCADE",
    "CREATE FUNCTION {}.extra() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE RULE extra AS ON DELETE TO {0}.customers_customer DO INSTEAD NOTHING",
    "CREATE POLICY extra ON {}.customers_customer",
    "GRANT SELECT ON {}.customers_customer TO porchlight_control",
    "GRANT SELECT (name) ON {}.customers_customer TO porchlight_control",
    "GRANT USAGE ON SCHEMA {} TO porchlight_control",
    "ALTER TABLE {}.customers_customer OWNER TO postgres",
)


def test_no_change_of_any_kind_escapes_the_stamp() -> None:
    """Acceptance check 20: what is compared when a schema is handed out moves with every statement that changes it."""
    names = _stock(len(CHANGES))
    for name, change in zip(names, CHANGES, strict=True):
        before = read_stamp(name)
        with control_scope():
            assert SchemaSlot.objects.get(schema_name=name).stamp == before
        alter(change.format(name))
        assert read_stamp(name) != before, change
    assert claim_slot(uuid4()) is None
    assert sorted(_in_state("dirty")) == sorted(names)


def test_one_schema_s_stamp_is_the_sum_that_is_made_over_many() -> None:
    """The function in the database and the query of the fleet's check agree, for whole schemas and changed ones."""
    names = _stock(3)
    alter(f"CREATE FUNCTION {names[1]}.extra() RETURNS integer LANGUAGE sql RETURN 1")
    alter(f"CREATE RULE extra AS ON DELETE TO {names[2]}.customers_customer DO INSTEAD NOTHING")
    alter(f"CREATE POLICY extra ON {names[2]}.customers_customer")
    with superuser() as conn:
        summed = conn.execute(f"SELECT name, {stamp_of('name')} FROM unnest(%s::text[]) AS name", [names]).fetchall()
    assert {name: read_stamp(name) for name in names} == dict(summed)
    assert len({stamp for _, stamp in summed}) == len(names)
    with control_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT gate.stamp('t_0000000000000000000000ff')")
        assert cursor.fetchone() == (None,)


@pytest.mark.parametrize("found_by", ["claim", "janitor"])
def test_a_schema_that_was_only_reindexed_is_still_handed_out(found_by: str) -> None:
    """The stamp only saves work: when it differs the fingerprint decides, and the janitor stamps anew."""
    (name,) = _stock(1)
    alter(f"REINDEX TABLE {name}.customers_customer")
    alter(f"VACUUM ANALYZE {name}.customers_customer")
    if found_by == "janitor":
        clean_pool(now=timezone.now())
        with control_scope():
            assert SchemaSlot.objects.get(schema_name=name).stamp == read_stamp(name)
    assert claim_slot(uuid4()) == name


def test_old_schemas_go_and_only_a_few_at_a_time() -> None:
    """Fourteen days are enough; M16: dropping is rationed."""
    stock = _stock(3)
    later = timezone.now() + timedelta(days=15)
    assert [clean_pool(now=later) for _ in range(3)] == [2, 1, 0]
    assert not schemas() & set(stock)


def test_what_was_made_for_another_release_is_not_handed_out() -> None:
    stock = _stock(1)
    with control_scope():
        SchemaSlot.objects.filter(schema_name__in=stock).update(release="yesterday")
    assert claim_slot(uuid4()) is None
    assert pool_status().outdated == 1
    assert clean_pool(now=timezone.now()) == 1
    assert not schemas() & set(stock)


def test_code_of_yesterday_does_not_judge_what_newer_code_made() -> None:
    """While a release rolls out, both clocks run: the old one leaves the new one's schemas alone."""
    stock = _stock(1)
    now = timezone.now()
    with control_scope():
        SchemaSlot.objects.filter(schema_name__in=stock).update(release="tomorrow")
        SchemaTemplate.objects.create(
            release="tomorrow",
            schema_name="t_00000000000000000000beef",
            ddl="x",
            fingerprint="x",
            created_at=now,
            built_at=now + timedelta(minutes=1),
        )
    assert clean_pool(now=now) == 0
    assert fill_pool(now=now, target=3) == 0
    assert set(stock) <= schemas()


def test_what_a_killed_builder_left_is_finished_by_the_next() -> None:
    """ISO-32: the name was in the ledger before the schema was there."""
    left = announce_slot(run_id=None, now=timezone.now()).schema_name
    create_schema(left)
    assert fill_pool(now=timezone.now(), target=1, count=5) == 1
    assert _in_state("ready") == [left]


def test_a_schema_that_the_ledger_does_not_know_is_never_touched() -> None:
    """ISO-31: whoever made it, it is not ours to remove."""
    strange = "t_00000000000000000000beef"
    alter(f"CREATE SCHEMA {strange}")
    _stock(1)
    clean_pool(now=timezone.now() + timedelta(days=99), limit=50)
    assert strange in schemas()
