"""How long a verified sign-up waits for its portal: the product's real processes, one company after another."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import string
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import split
from subprocess import Popen
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg

from bench.place import server_version, temporary_place
from bench.report import AtMost, Measured, Row, summary
from infra.embedded.processes import end, start_tied

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("web", "worker", "provisioner", "clock")
ABOUT = (
    "The whole set-up of one company after another, by the processes of the Procfile on one machine: from the"
    " confirmation of the sign-up's mail to the moment at which the company is active, and to the first page of its"
    " portal that its host serves. The stock of ready schemas is warm; the clock refills it meanwhile, as it always"
    " does. Each step's share is what the run's own ledger says; `to the first step` is the way of the message through"
    " the broker to the process that drives the run."
)
LONGEST = 60.0


@contextmanager
def running_product() -> Iterator[int]:
    """Run the product's programs against the place that is open; yields the web's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = os.environ | {
        "PORT": str(port),
        "PUBLIC_PORT": str(port),
        "PATH": path,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
    }
    env.pop("DATABASE_LOGIN", None)
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    started: list[Popen[bytes]] = []
    try:
        for program in PROGRAMS:
            command = split(string.Template(lines[program]).safe_substitute(env))
            started.append(start_tied(command, death_signal=signal.SIGKILL, cwd=ROOT, env=env))
        _wait_for(lambda: _get(port, "portal.localhost", "/readyz") == http.HTTPStatus.OK)
        yield port
    finally:
        for process in reversed(started):
            end(process, signal.SIGTERM, wait=5)


def run(*, rounds: int = 50, **_: object) -> Measured:
    """Measure on servers of its own."""
    with temporary_place() as server:
        took = measure_saga(rounds=rounds)
        return Measured(_rows(took), server_version(server), took)


def measure_saga(*, rounds: int) -> dict[str, list[float]]:
    """Set up `rounds` companies, after two that warm up; needs an open temporary place. Returns seconds by name."""
    from django.conf import settings
    from django.utils import timezone

    from provisioning.pool import fill_pool

    fill_pool(now=timezone.now(), count=rounds + 4, target=rounds + 4)
    took: dict[str, list[float]] = {}
    with running_product() as port, psycopg.connect(settings.ENV.database_url, autocommit=True) as watcher:
        for number in range(rounds + 2):
            measured = _one_company(number, port, watcher)
            time.sleep(0.15)  # so that what one company leaves to the workers is not the next one's wait
            if number >= 2:
                for name, seconds in measured.items():
                    took.setdefault(name, []).append(seconds)
    return took


def _rows(took: dict[str, list[float]]) -> list[Row]:
    rows = []
    for name, seconds in took.items():
        whole = not name.startswith("of it")
        for value, word, limit in zip(summary(seconds), ("median", "95th percentile"), (500, 1000), strict=True):
            rows.append(Row(f"{name}, {word}", "ms", value, target=AtMost(limit) if whole else None))
    return rows


def _one_company(number: int, port: int, watcher: psycopg.Connection[Any]) -> dict[str, float]:
    """Confirm one sign-up and follow it to its portal; returns seconds by what was done."""
    signup_id, slug = _sign_up(number)
    host = f"{slug}.portal.localhost"
    began = perf_counter()
    run_id = _confirm(signup_id)
    confirmed = perf_counter()
    _wait_for(lambda: _state_of(watcher, run_id) == "active", pause=0.002)
    active = perf_counter()
    _wait_for(lambda: _get(port, host, "/") in (http.HTTPStatus.OK, http.HTTPStatus.SEE_OTHER, http.HTTPStatus.FOUND))
    served = perf_counter()
    _wait_for(lambda: _is_done(watcher, run_id), pause=0.002)
    measured = {
        "verified sign-up to an active company": active - began,
        "verified sign-up to a served portal": served - began,
        "of it: the confirmation": confirmed - began,
    }
    return measured | _steps_of(watcher, run_id)


def _sign_up(number: int) -> tuple[UUID, str]:
    """Write a sign-up that has its address and needs only its confirmation."""
    from django.db import transaction
    from django.utils import timezone

    from infra.ids import uuid7
    from signup.services.address import choose_address
    from signup.services.start import Details, start_signup
    from tenants.scope import control_scope

    slug, now = f"saga-{number}-bench", timezone.now()
    details = Details(
        email=f"owner@{slug}.example",
        owner_name="Renee Rivera",
        company=f"Saga {number}",
        trade="electrical",
        country="US",
        time_zone="America/Chicago",
        locale="en",
    )
    with control_scope(), transaction.atomic():
        signup = start_signup(form_key=uuid7(), details=details, ip=None, now=now)
        choose_address(signup_id=signup.pk, slug=slug, now=now)
    time.sleep(0.15)
    return signup.pk, slug


def _confirm(signup_id: UUID) -> UUID:
    """Do what the button of the mailed link does."""
    from django.db import transaction
    from django.utils import timezone

    from signup.services.verify import confirm
    from tenants.scope import control_scope

    with control_scope(), transaction.atomic():
        _signup, run = confirm(signup_id=signup_id, ip=None, now=timezone.now())
    return run.pk


def _state_of(watcher: psycopg.Connection[Any], run_id: UUID) -> str:
    row = watcher.execute(
        "SELECT t.lifecycle FROM tenants_tenant t JOIN provisioning_run r ON r.tenant_id = t.id WHERE r.id = %s",
        [run_id],
    ).fetchone()
    return str(row[0]) if row else ""


def _is_done(watcher: psycopg.Connection[Any], run_id: UUID) -> bool:
    row = watcher.execute("SELECT state = 'done' FROM provisioning_run WHERE id = %s", [run_id]).fetchone()
    return bool(row and row[0])


def _steps_of(watcher: psycopg.Connection[Any], run_id: UUID) -> dict[str, float]:
    """Return what the ledger says of each step, and how long the first one was waited for."""
    steps = watcher.execute(
        "SELECT s.name, extract(epoch FROM s.started_at - r.created_at)::float,"
        " extract(epoch FROM s.finished_at - s.started_at)::float"
        " FROM provisioning_step s JOIN provisioning_run r ON r.id = s.run_id WHERE r.id = %s ORDER BY s.position",
        [run_id],
    ).fetchall()
    first = {"of it: to the first step": float(steps[0][1])}
    return first | {f"of it: {name}": float(seconds) for name, _, seconds in steps}


def _get(port: int, host: str, path: str) -> int:
    """Return the status that the front door answers with; 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _wait_for(ready: Any, *, pause: float = 0.01) -> None:
    """Call `ready` until it is true; raises TimeoutError."""
    until = perf_counter() + LONGEST
    while not ready():
        if perf_counter() > until:
            raise TimeoutError("The product did not get there.")
        time.sleep(pause)
