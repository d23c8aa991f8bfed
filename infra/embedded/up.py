"""`./porchlight up`: servers, schema, programs, demo companies, and then watching over them."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import string
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from shlex import split
from typing import NoReturn

from honcho.environ import parse_procfile

from infra.embedded import places
from infra.embedded.bootstrap import bootstrap_embedded, bootstrap_roles
from infra.embedded.demo_env import Plan, double_command, make_plan, write_private
from infra.embedded.errors import ServiceError
from infra.embedded.lock import exclusive
from infra.embedded.memory import Memory, schema_fingerprint
from infra.embedded.panel import panel
from infra.embedded.postgres import start_postgres
from infra.embedded.processes import last_lines, start_tied
from infra.embedded.supervisor import Supervisor
from infra.embedded.terminal import LogTail, Terminal, shown
from infra.embedded.valkey import start_valkey
from infra.env import Env, EnvError, app_password, read_env
from infra.env_casts import ROOT

_WEB_LIMIT = 60.0
_KEEP_LOG_BELOW = 10_000_000
# `seed_demo` starts the lines that belong on the panel with it.
_SIGN_IN = "sign-in: "


class Stopped(BaseException):
    """The person (or the system) wants us to end."""


class Up:
    """One run, from the first server to the last goodbye."""

    def __init__(self, terminal: Terminal, data: Path) -> None:
        self.terminal = terminal
        self.data = data
        self.began = time.monotonic()
        self.tails: list[LogTail] = []
        self.memory = Memory(data / "state.json")
        self.plan: Plan = make_plan(os.environ, data)
        bin_folder = str(Path(sys.executable).parent)
        self.environ = {**self.plan.environ, "PYTHONUNBUFFERED": "1"}
        self.environ["PATH"] = f"{bin_folder}{os.pathsep}{self.environ.get('PATH', os.defpath)}"
        self.supervisor = Supervisor(terminal.say, data / "log")

    def run(self) -> NoReturn:
        """Bring everything up and watch it until Stopped is raised."""
        try:
            self._refuse_taken_ports()
            for sentence in self.plan.own_services():
                self.terminal.say(f"  {sentence}")
            self._start_servers()
            env = read_env(self.environ)
            self._write_env_file()
            self._migrate()
            self._start_web(env)
            self._start_the_rest()
            self._seed()
            self.terminal.say(
                panel(
                    env,
                    sign_ins=self.memory.get("sign_ins") or [],
                    took=time.monotonic() - self.began,
                    mail_is_sent=bool(env.email_url),
                    data=self._where_the_data_is(),
                    logs=shown(self.data / "log"),
                )
            )
            while True:
                self._look_after(0.2)
        finally:
            busy = bool(self.supervisor.children)
            if busy:
                self.terminal.say("Stopping …")
            self.supervisor.stop()
            if busy:
                self.terminal.say("Everything has stopped.")

    def _where_the_data_is(self) -> str:
        folder = places.data_place(self.data / "postgres").parent
        here = f"{shown(self.data)}/"
        return here if folder == self.data else f"{here} and {folder}/"

    def _refuse_taken_ports(self) -> None:
        wanted = {self.plan.port: "the web"}
        if self.plan.stripe_double:
            wanted |= {self.plan.double_port: "the Stripe double", self.plan.element_port: "its card form"}
        for port, user in wanted.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise ServiceError(
                        f"Port {port} (for {user}) is taken by another program. Stop that program, or choose "
                        f"another port: `PORT={self.plan.port + 100} ./porchlight up`."
                    ) from error

    def _start_servers(self) -> None:
        if self.plan.embedded_postgres:
            folder = self.data / "postgres"
            new = not (places.data_place(folder) / "PG_VERSION").exists()
            if new:
                self.memory.forget()
            log = self._log("postgres")
            with self.terminal.step("Making the database" if new else "Starting the database"):
                server = start_postgres(folder, log=log)
                self.supervisor.adopt_server(
                    "postgres", server.process, lambda: start_postgres(folder, log=log).process, signal.SIGINT
                )
                owner, app = bootstrap_embedded(server)
            self.environ |= {"DATABASE_URL": owner, "DATABASE_APP_URL": app}
        else:
            self._prepare_own_database()
        if self.plan.embedded_valkey:
            home, valkey_log = self.data / "valkey", self._log("valkey")
            with self.terminal.step("Starting the queue"):
                valkey = start_valkey(home, log=valkey_log)
                self.supervisor.adopt_server(
                    "valkey",
                    valkey.process,
                    lambda: start_valkey(home, log=valkey_log).process,
                    signal.SIGTERM,
                )
            self.environ["REDIS_URL"] = valkey.url()

    def _prepare_own_database(self) -> None:
        import psycopg

        env = read_env({"REDIS_URL": "redis://localhost"} | self.environ)
        if self.environ.get("DATABASE_APP_URL") or self.environ.get("DATABASE_APP_URL_FILE"):
            return
        with self.terminal.step("Preparing your database's second login"):
            try:
                with psycopg.connect(env.database_url, autocommit=True, connect_timeout=10) as conn:
                    bootstrap_roles(conn, app_password=app_password(env.secret_key))
            except psycopg.OperationalError as error:
                raise ServiceError(
                    f"The database of DATABASE_URL does not answer: {str(error).strip()}\nStart it, or "
                    "correct DATABASE_URL, or unset it to use the embedded one."
                ) from error

    def _migrate(self) -> None:
        fingerprint = schema_fingerprint(ROOT)
        if self.plan.embedded_postgres and self.memory.get("migrated") == fingerprint:
            return
        with self.terminal.step("Bringing the database's tables up to date"):
            self._manage("migrate", "provision_migrate")
        self.memory.keep(migrated=fingerprint)

    def _seed(self) -> None:
        if self.plan.embedded_postgres and self.memory.get("seeded"):
            return
        with self.terminal.step("Creating the demo companies"):
            said = self._manage("seed", "seed_demo")
        shown_to_people = [line.removeprefix(_SIGN_IN) for line in said.splitlines() if line.startswith(_SIGN_IN)]
        self.memory.keep(seeded=True, sign_ins=shown_to_people)

    def _manage(self, log_name: str, *arguments: str) -> str:
        """Run a management command as the schemas' owner; returns what it printed to its standard output."""
        log = self._log(log_name)
        at = log.stat().st_size if log.exists() else 0
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        process = self._launcher(command, log, DATABASE_LOGIN="owner")()
        while process.poll() is None:
            self._look_after(0.05)
        said = log.read_bytes()[at:].decode(errors="replace")
        if process.returncode != 0:
            last = next((line for line in reversed(said.splitlines()) if line.strip()), "It said nothing.")
            raise ServiceError(
                f"`manage.py {' '.join(arguments)}` failed: {last.strip()}\nThe whole output is in {shown(log)}. "
                "What was done before it is kept; `./porchlight up` goes on from there."
            )
        return said

    def _start_web(self, env: Env) -> None:
        with self.terminal.step("Starting the web and waiting for its first answer"):
            if self.plan.stripe_double:
                command = [sys.executable, "-m", "infra.stripe_double", *double_command(self.plan, self.data)]
                self._supervise("stripe", command)
            self._supervise("web", self._programs()["web"])
            self._wait_for_web(env)

    def _start_the_rest(self) -> None:
        # Only now: on a small machine they would take the processor from the page somebody waits for.
        for name, command in self._programs().items():
            if name != "web":
                self._supervise(name, command)

    def _programs(self) -> dict[str, list[str]]:
        # No shell in between: the program itself is our child and gets our signals.
        lines = parse_procfile((ROOT / "Procfile").read_text()).processes
        return {name: split(string.Template(line).safe_substitute(self.environ)) for name, line in lines.items()}

    def _supervise(self, name: str, command: list[str]) -> None:
        log = self._log(name)
        self.tails.append(LogTail(name, log, self.terminal))
        self.supervisor.start(name, self._launcher(command, log))

    def _launcher(self, command: list[str], log: Path, **extra: str) -> Callable[[], subprocess.Popen[bytes]]:
        def launch() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return start_tied(
                    command, death_signal=signal.SIGTERM, cwd=ROOT, env=self.environ | extra, output=output
                )

        return launch

    def _wait_for_web(self, env: Env) -> None:
        web = next(child for child in self.supervisor.children if child.name == "web")
        deadline = time.monotonic() + _WEB_LIMIT
        while not self._web_answers(env):
            self._look_after(0.05)
            if web.failures >= 3 or time.monotonic() > deadline:
                log = self.data / "log" / "web.log"
                why = "keeps stopping" if web.failures else f"did not answer in {_WEB_LIMIT:.0f} s"
                raise ServiceError(f"The web process {why}. The end of {shown(log)}:\n{last_lines(log, 1)}")

    def _web_answers(self, env: Env) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.plan.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": env.base_domain})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _look_after(self, seconds: float) -> None:
        self.supervisor.watch()
        for tail in self.tails:
            tail.show_new()
        time.sleep(seconds)

    def _log(self, name: str) -> Path:
        log = self.data / "log" / f"{name}.log"
        if log.exists() and log.stat().st_size > _KEEP_LOG_BELOW:
            log.replace(log.with_suffix(".log.1"))
        return log

    def _write_env_file(self) -> None:
        # `./porchlight <command>` in a second terminal reads it, so that it talks to the same database.
        names = {name.upper() for name in Env.__dataclass_fields__}
        ours = {
            name: value for name, value in self.environ.items() if name in names or name.removesuffix("_FILE") in names
        }
        write_private(self.data / "env.json", json.dumps(ours, indent=2))


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="./porchlight up", description="Run the whole product on this machine.")
    parser.add_argument("--verbose", action="store_true", help="show every line of every process")
    parser.add_argument("--data", type=Path, default=ROOT / ".data", help="folder of the data, .data by default")
    given = parser.parse_args(arguments)
    terminal, data = Terminal(verbose=given.verbose), given.data.resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        for folder in ("log", "media", "static"):
            (data / folder).mkdir(parents=True, exist_ok=True)
        with exclusive(data / "lock", terminal.say):
            Up(terminal, data).run()
    except Stopped:
        return 0
    except (ServiceError, EnvError) as error:
        terminal.say(f"\nPorchlight cannot run:\n{error}")
    except Exception:
        details = data / "log" / "up.log"
        details.write_text(traceback.format_exc(), encoding="utf-8")
        terminal.say(f"\nPorchlight met a fault of its own. The details are in {details}; please report them.")
    return 1


def _stop(number: int, _frame: object) -> None:
    # Once is enough: what follows is the orderly end, which takes less than five seconds.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
