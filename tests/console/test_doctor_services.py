"""The doctor finds what is wrong beside the database: broker, mail, Stripe, certificates, room, web."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings

from console import cli
from console.doctor import services
from console.doctor.base import Examination, Finding
from infra.embedded.valkey import temporary_valkey
from infra.stripe_double.double import Double
from infra.stripe_double.server import RunningDouble
from tests.console.diagnosis import change_env, finding
from tests.live import ROOT, LiveProduct, live_product

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
# Names localhost and doctor.localhost; ends in a hundred years.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


@pytest.fixture(autouse=True)
def login(monkeypatch: Patch, db: None) -> None:
    """Put back what a command sets for its own process."""
    monkeypatch.setenv("DATABASE_LOGIN", "app")


def test_a_broker_that_is_away_forgetful_or_full_is_found(monkeypatch: Patch, capsys: Capture) -> None:
    """scale.md rule 12."""
    with temporary_valkey() as valkey:
        change_env(monkeypatch, redis_url=valkey.url())
        assert finding(capsys, "services.broker")[0] == "ok"
        with redis.Redis.from_url(valkey.url()) as client:
            client.config_set("maxmemory", 400_000)
            state, says = finding(capsys, "services.broker")
            assert (state, "of its memory" in says) == ("failed", True)
            client.config_set("maxmemory", 0)
            client.config_set("maxmemory-policy", "allkeys-lru")
        state, says = finding(capsys, "services.broker")
        assert (state, "Set it to noeviction" in says) == ("failed", True)
    state, says = finding(capsys, "services.broker")
    assert (state, "does not answer" in says) == ("failed", True)


def test_a_mailbox_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    change_env(monkeypatch, mailbox_dir=tmp_path / "mailbox")
    assert finding(capsys, "services.mail")[0] == "ok"
    (tmp_path / "file").touch()
    change_env(monkeypatch, mailbox_dir=tmp_path / "file" / "mailbox")
    state, says = finding(capsys, "services.mail")
    assert (state, "MAILBOX_DIR" in says) == ("failed", True)
    change_env(monkeypatch, mailbox_dir=tmp_path / "mailbox", demo=False)
    assert finding(capsys, "services.mail")[0] == "warning"


@contextmanager
def _mail_server(answer: bytes) -> Iterator[int]:
    """Run a server that takes one visitor and gives one answer to NOOP."""

    def attend() -> None:
        visitor, _ = listener.accept()
        with visitor, visitor.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n")
            for line in lines:
                word = line.strip().upper()
                lines.write({b"NOOP": answer, b"QUIT": b"221 bye"}.get(word, b"250 fine") + b"\r\n")
                if word == b"QUIT":
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=attend, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)


def test_a_mail_server_that_does_not_take_us_is_found(monkeypatch: Patch, capsys: Capture) -> None:
    with _mail_server(b"250 fine") as port:
        change_env(monkeypatch, email_url=f"smtp://127.0.0.1:{port}")
        assert finding(capsys, "services.mail") == ("ok", "The mail server takes our login.")
    with _mail_server(b"451 not now") as port:
        change_env(monkeypatch, email_url=f"smtp://127.0.0.1:{port}")
        state, says = finding(capsys, "services.mail")
        assert (state, "451" in says) == ("failed", True)
    state, says = finding(capsys, "services.mail")
    assert (state, "EMAIL_URL" in says) == ("failed", True)


def test_stripe_that_does_not_answer_or_must_not_be_used_is_found(monkeypatch: Patch, capsys: Capture) -> None:
    """PAY: which key, and who answers, is said."""
    running = RunningDouble(Double(public_host="localhost", port=0, element_port=0))
    running.start()
    base = f"http://127.0.0.1:{running.double.port}"
    try:
        change_env(monkeypatch, stripe_api_base=base)
        assert finding(capsys, "services.stripe") == ("ok", f"the stand-in at {base} answers, with a test key.")
        change_env(monkeypatch, demo=False)
        assert finding(capsys, "services.stripe")[0] == "warning"
        change_env(monkeypatch, stripe_secret_key="sk_live_x")
        state, says = finding(capsys, "services.stripe")
        assert (state, "together with a live key" in says) == ("failed", True)
        change_env(monkeypatch, demo=True)
        state, says = finding(capsys, "services.stripe")
        assert (state, "real cards" in says) == ("failed", True)
    finally:
        running.stop()
    change_env(monkeypatch, stripe_secret_key="sk_test_x", stripe_api_base="http://127.0.0.1:9")
    state, says = finding(capsys, "services.stripe")
    assert (state, "does not answer" in says) == ("failed", True)
    change_env(monkeypatch, stripe_secret_key="", demo=False)
    assert finding(capsys, "services.stripe")[0] == "failed"


@contextmanager
def _edge() -> Iterator[int]:
    """Show the certificate to whoever comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def attend() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            try:
                with visitor, context.wrap_socket(visitor, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                continue  # the visitor did not like the certificate

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=attend, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def test_certificates_that_browsers_refuse_or_that_end_soon_are_found(monkeypatch: Patch, capsys: Capture) -> None:
    assert finding(capsys, "services.certificate") == ("not applicable", "PUBLIC_SCHEME is http.")
    with _edge() as port:
        change_env(
            monkeypatch,
            public_scheme="https",
            public_port=port,
            base_domain="localhost",
            console_host="localhost",
            usercontent_host="localhost",
        )
        state, says = finding(capsys, "services.certificate")
        assert (state, "is refused" in says) == ("failed", True)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert finding(capsys, "services.certificate")[0] == "ok"
        found = {days: _certificate_seen(days).state for days in (5, 15, 30)}
        assert found == {5: "failed", 15: "warning", 30: "ok"}
        change_env(monkeypatch, console_host="127.0.0.1")
        state, says = finding(capsys, "services.certificate")
        assert (state, "127.0.0.1" in says) == ("failed", True)
    state, says = finding(capsys, "services.certificate")
    assert (state, "No TLS connection" in says) == ("failed", True)


def _certificate_seen(days_before_its_end: int) -> Finding:
    decoded = ssl._ssl._test_decode_cert(str(CERTIFICATE))  # type: ignore[attr-defined]
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(decoded["notAfter"]), UTC)
    return services.certificate(Examination(settings.ENV, end - timedelta(days=days_before_its_end)))


def test_a_full_or_closed_disk_is_found(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    assert finding(capsys, "services.disk")[0] == "ok"
    monkeypatch.setattr(services, "LEAST_FREE_BYTES", 10**18)
    state, says = finding(capsys, "services.disk")
    assert (state, "Make room" in says) == ("failed", True)
    (tmp_path / "file").touch()
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "file" / "media")
    state, says = finding(capsys, "services.disk")
    assert (state, "MEDIA_ROOT" in says) == ("failed", True)


def _doctor(product: LiveProduct) -> tuple[int, dict[str, dict[str, str]]]:
    command = [sys.executable, "-m", "console.cli", "doctor", "--json"]
    done = subprocess.run(command, env=product.environ, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert done.stdout, done.stderr.decode()
    return done.returncode, {row["check"]: row for row in json.loads(done.stdout)}


def test_the_running_product_is_examined_as_it_runs(
    tmp_path: Path, django_db_setup: None, django_db_blocker: object
) -> None:
    """Every check at once, on real processes; then with the web killed and settings that it has not seen."""
    with live_product(tmp_path, name="test_doctor", programs=("web", "worker", "provisioner", "clock")) as product:
        code, rows = _doctor(product)
        failures = {name: row["says"] for name, row in rows.items() if row["state"] == "failed"}
        assert (code, failures) == (cli.OK, {})
        assert "all of now" in rows["processes.web"]["says"]
        product.kill("web")
        code, rows = _doctor(product)
        assert code == cli.PARTIAL
        assert [name for name, row in rows.items() if row["state"] == "failed"] == ["processes.web"]
        assert "does not answer for" in rows["processes.web"]["says"]
