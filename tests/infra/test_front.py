"""The front door: what its configuration must say, that HAProxy reads it, and what HAProxy then does (F-105)."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from bench.front import front_door, make_certificate
from infra.env import Env, EnvError, read_env
from infra.front.haproxy import LARGEST_BODY, Refused, check, find_program, render
from portal.importing.decode import MAX_BYTES

GIVEN = {
    "SECRET_KEY": "k" * 40,
    "DATABASE_URL": "postgresql://owner:pass@db.example/main",
    "REDIS_URL": "redis://cache.example",
    "BASE_DOMAIN": "portal.example",
    "CONSOLE_HOST": "console.example",
    "USERCONTENT_HOST": "files.example",
    "TRUSTED_PROXY_HOPS": "1",
    "FRONT_BACKENDS": "127.0.0.1:8101,127.0.0.1:8102,10.0.0.7:8101",
}


def _env(**changes: str) -> Env:
    return read_env(GIVEN | changes)


def _sections(text: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            name = line
        elif line.strip() and not line.strip().startswith("#"):
            sections[name].append(line.strip())
    return sections


def test_a_company_is_hashed_to_a_process_and_everybody_else_goes_where_there_is_room() -> None:
    found = _sections(render(_env()))
    companies, everybody = found["backend companies"], found["backend everybody"]
    assert {"balance hash var(txn.host)", "hash-type consistent sdbm avalanche"} <= set(companies)
    assert "balance leastconn" in everybody
    for address in _env().front_backends:
        assert any(f" {address} id " in line for line in companies)
        assert any(f" {address} id " in line and " track companies/" in line for line in everybody)
    secure = found["frontend secure"]
    assert "use_backend everybody if for_apex or for_console or for_usercontent" in secure
    assert secure[-1] == "default_backend companies"
    assert "http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host portal.example" in companies


def test_a_process_keeps_its_place_when_others_come_and_go() -> None:
    """The number decides the place on the ring; it follows from the address and not from the order."""

    def numbers(backends: str) -> dict[str, str]:
        lines = _sections(render(_env(FRONT_BACKENDS=backends)))["backend companies"]
        return dict(re.findall(r"server \S+ (\S+) id (\d+)", "\n".join(lines)))

    few = numbers("127.0.0.1:8101,127.0.0.1:8102")
    more = numbers("127.0.0.1:8103,127.0.0.1:8102,127.0.0.1:8100,127.0.0.1:8101")
    assert few.items() <= more.items()
    assert len(set(more.values())) == 4


def test_a_visitor_cannot_say_who_he_is() -> None:
    """ISO-38: forwarded headers of the client are removed before ours are written."""
    secure = _sections(render(_env()))["frontend secure"]
    removed = [secure.index(f"http-request del-header {name}") for name in ("Forwarded", "X-Forwarded- -m beg")]
    written = [number for number, line in enumerate(secure) if line.startswith("http-request set-header X-Forwarded-")]
    assert len(written) == 2
    assert max(removed) < min(written)


def test_the_log_holds_no_path() -> None:
    """Links in mails are secrets: what a path says must not stand in a log."""
    (line,) = (each for each in _sections(render(_env()))["defaults"] if each.startswith("log-format"))
    assert not re.search(r"%(?:HP|HU|HQ|r|\{[^}]*\}r)\b|path|url|query", line)
    assert "option httplog" not in render(_env())


def test_every_upload_that_the_product_takes_fits() -> None:
    assert LARGEST_BODY > MAX_BYTES
    assert f"req.body_size gt {LARGEST_BODY}" in render(_env())


def test_another_port_stands_in_the_redirect() -> None:
    plain = _sections(render(_env(FRONT_HTTPS_PORT="8443")))["frontend plain"]
    assert any("https://%[req.hdr(host),field(1,:),lower]:8443%[pathq] code 308" in line for line in plain)


@pytest.mark.parametrize(("name", "value"), [("PUBLIC_SCHEME", "http"), ("TRUSTED_PROXY_HOPS", "0")])
def test_settings_under_which_the_product_would_not_believe_the_front_door_are_refused(name: str, value: str) -> None:
    with pytest.raises(EnvError, match=name):
        render(_env(**{name: value}))


@pytest.mark.parametrize("value", ["8000", "127.0.0.1", "127.0.0.1:0", "a:1,a:1", "http://a:1", "a:1,,b"])
def test_only_addresses_are_taken_for_web_processes(value: str) -> None:
    with pytest.raises(EnvError, match="FRONT_BACKENDS"):
        _env(FRONT_BACKENDS=value)


def test_the_real_program_reads_it_and_does_what_it_says(tmp_path: Path) -> None:
    """On a machine with HAProxy; what it says is tested above on every machine."""
    program = find_program()
    if program is None:
        return
    make_certificate(tmp_path / "all.pem", ["portal.example", "*.portal.example"])
    check(render(_env(FRONT_CERTIFICATES=str(tmp_path))), program)
    with pytest.raises(Refused, match="nonsense"):
        check(render(_env(FRONT_CERTIFICATES=str(tmp_path))) + "\nnonsense here\n", program)
    with front_door(_env(), program, processes=4) as front:
        hosts = [f"company-{number}.portal.example" for number in range(40)]
        first = {
            host: {front.get(spelt)[1] for spelt in (host, host.upper(), f"{host}.", f"{host}:443")} for host in hosts
        }
        assert all(len(answered) == 1 for answered in first.values()), "one company, one process"
        assert len(set.union(*first.values())) == 4, "and every process has some"
        assert len({front.get("portal.example")[1] for _ in range(12)}) > 1, "the apex belongs to no process"

        forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "Forwarded": "for=1.2.3.4"}
        front.get(hosts[0], headers=forged | {"X-Original-Host": "evil.example"})
        seen = {
            name.lower(): value for each in front.processes for name, value in each.headers.get(hosts[0], {}).items()
        }
        assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "https")
        assert not {"forwarded", "x-forwarded-host", "x-original-host"} & seen.keys()

        assert front.get("console.example", sni=hosts[0])[0] == 421
        assert front.get(hosts[0], sni="console.example")[0] == 421
        assert front.get("console.example")[0] == 200
        assert front.get("portal.example", "/readyz")[0] == 404
        assert front.get(hosts[0], headers={"Content-Length": str(LARGEST_BODY + 1)})[0] == 413

        lost = front.processes[0]
        lost.end()
        for host, (process,) in first.items():
            status, now, _ = front.get(host)
            assert status == 200
            assert (now != process) == (process == lost.address), "only the companies of the lost process move"
