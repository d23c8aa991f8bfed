"""An OpenFeature client sees what the native accessor sees, for the company being served and for nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
from django.utils import timezone
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode

from tenants.audit import Actor
from tenants.config.openfeature import client
from tenants.config.operators import make_change, make_kill, write_operator_setting
from tenants.config.places import PLATFORM, Place
from tenants.config.registry import EXPIRED_LINK, MAGIC_LINK_DAYS, PORTAL, REGISTRY
from tenants.context import TenantContext, prove_tenant
from tenants.scope import control_scope, tenant_scope
from tests.cast import ACME, GLOBEX
from tests.conftest import HostClient

A, B = "t_ac3e00000000000000000001", "t_610be8000000000000000002"
OSCAR = Actor("operator", None, "oscar@porchlight.example")


@pytest.fixture
def flags(db: None) -> Iterator[OpenFeatureClient]:
    """Return a client of our provider, put in place for one test."""
    client.cache_clear()
    yield client()
    api.shutdown()
    client.cache_clear()


def prove() -> TenantContext:
    """Do what a request of Acme begins with, in the open scope."""
    return prove_tenant(ACME, timezone.now())


def put(key: str, value: Any, place: Place) -> None:
    """Set a value as Oscar."""
    change = make_change(key=key, place=place, value=value, now=timezone.now())
    write_operator_setting(change=change, reason="because", by=OSCAR, now=timezone.now())


def test_values_reasons_and_versions_are_those_of_the_native_accessor(flags: OpenFeatureClient) -> None:
    """Acceptance 33, for every declared key, over several layers."""
    put(MAGIC_LINK_DAYS.name, 3, Place("operator", str(ACME), "acme", ACME))
    put(EXPIRED_LINK.name, "ask", PLATFORM)
    ask: dict[type, Any] = {
        bool: flags.get_boolean_details,
        int: flags.get_integer_details,
        str: flags.get_string_details,
        list: flags.get_object_details,
    }
    reasons = set()
    with tenant_scope(ACME, A):
        native = prove()
        for key in REGISTRY.values():
            found = ask[type(key.default)](key.name, key.default)
            expected = native.settings.evaluation(key)
            assert (found.value, found.reason, found.error_code) == (expected.value, expected.reason, None), key.name
            assert found.flag_metadata["layer"] == expected.layer
            assert found.flag_metadata["config_version"] == native.tenant.config_version
            reasons.add(str(found.reason))
    assert reasons == {"DEFAULT", "STATIC", "TARGETING_MATCH"}


def test_after_a_request_the_same_thread_evaluates_for_no_tenant(
    flags: OpenFeatureClient, acme_client: HostClient
) -> None:
    """Acceptance 33: neither after a request, nor on the control plane, nor on a thread beside it."""

    def asks_for_nobody() -> bool:
        found = flags.get_boolean_details(PORTAL.name, False)
        return (found.value, found.error_code) == (False, ErrorCode.TARGETING_KEY_MISSING)

    assert acme_client.get("/sign-in").status_code == 200
    assert asks_for_nobody()
    with tenant_scope(ACME, A):
        assert asks_for_nobody(), "a scope that nobody has proven is nobody's"
        prove()
        assert flags.get_boolean_value(PORTAL.name, False) is True
        with control_scope():
            assert asks_for_nobody()
        beside: Queue[bool] = Queue()
        thread = threading.Thread(target=lambda: beside.put(asks_for_nobody()))
        thread.start()
        thread.join()
        assert beside.get_nowait()
        assert flags.get_boolean_value(PORTAL.name, False) is True
    with tenant_scope(GLOBEX, B):
        assert asks_for_nobody()


def test_nobody_is_given_another_companys_value_an_unknown_key_or_another_type(flags: OpenFeatureClient) -> None:
    """platform.md 3.9: the caller's default, with the error's name."""
    with tenant_scope(ACME, A):
        prove()
        of_globex = flags.get_boolean_details(PORTAL.name, False, EvaluationContext(targeting_key=str(GLOBEX)))
        assert (of_globex.value, of_globex.error_code) == (False, ErrorCode.INVALID_CONTEXT)
        of_acme = flags.get_boolean_details(PORTAL.name, False, EvaluationContext(targeting_key=str(ACME)))
        assert (of_acme.value, of_acme.error_code) == (True, None)
        unknown = flags.get_boolean_details("no.such.flag", True)
        assert (unknown.value, unknown.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
        for ask, default in ((flags.get_integer_details, 4), (flags.get_string_details, "x")):
            found = ask(PORTAL.name, default)  # type: ignore[operator]
            assert (found.value, found.error_code) == (default, ErrorCode.TYPE_MISMATCH)


def test_a_change_is_told_when_this_process_meets_the_new_version(flags: OpenFeatureClient) -> None:
    """Acceptance 33: change events name the keys and the company."""
    heard: Queue[EventDetails] = Queue()
    flags.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.put)
    with tenant_scope(ACME, A):
        prove()
    write_operator_setting(change=make_kill(flag=PORTAL.name), reason="because", by=OSCAR, now=timezone.now())
    with tenant_scope(ACME, A):
        assert prove().settings.get(PORTAL) is False
        assert flags.get_boolean_details(PORTAL.name, True).reason == "DISABLED"
    event = heard.get(timeout=30)
    assert event.flags_changed == [PORTAL.name]
    assert event.metadata["tenant"] == str(ACME)
    with tenant_scope(ACME, A):
        prove()
    assert heard.empty()
