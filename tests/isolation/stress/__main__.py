"""`python -m tests.isolation.stress`: runs one storm on the backend that STRESS_BACKEND names and prints what it found.

Reads from standard input: {"seconds": 8, "stop_at": null, "database": address for the superuser,
"companies": [[id, mark, schema], …]}; "stop_at" ends the storm early when so many foreign rows were read.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.isolation.stress.settings"
django.setup()

import dramatiq  # noqa: E402
import psycopg  # noqa: E402
import psycopg_pool  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import Error, InterfaceError, close_old_connections  # noqa: E402

from tenants.context import IdentityMismatch  # noqa: E402
from tenants.scope import NoScope  # noqa: E402
from tests.isolation.stress.deeds import DEEDS, Crowd, Undo  # noqa: E402
from tests.isolation.stress.engines import QUEUE, Company, Library, Ours  # noqa: E402
from tests.isolation.stress.report import Report  # noqa: E402

THREADS = 8
# The strikes come in gusts: on a slow machine a long deed would otherwise never get through, and show nothing.
GUST, LULL = 0.9, 0.3
# A storm goes on until every deed has got through, if its time was too short for that.
LONGER = 60.0
# What the database and the guard may answer with while they are being struck.
HONEST = (Error, InterfaceError, psycopg.Error, psycopg_pool.PoolTimeout, NoScope, Undo)

# The strikes run inside the server: a thread of the crowd's own process would wait for its turn at the interpreter.
STRIKE = """
CREATE FUNCTION pg_temp.strike(kind text, pause float) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz := clock_timestamp() + interval '300 ms';
    hits bigint := 0;
    hit bigint;
BEGIN
    WHILE clock_timestamp() < ends LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(*) FILTER (WHERE CASE kind WHEN 'terminate' THEN pg_terminate_backend(pid)
                                                ELSE pg_cancel_backend(pid) END) INTO hit FROM (
            SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename <> 'postgres'
               AND CASE kind WHEN 'terminate' THEN true WHEN 'cancel' THEN state = 'active'
                             ELSE state = 'active' AND query LIKE '%search_path%' END
             ORDER BY random() LIMIT CASE kind WHEN 'terminate' THEN 1 END) AS victims;
        hits := hits + hit;
        PERFORM pg_sleep(pause);
    END LOOP;
    RETURN hits;
END $$
"""
# Cancel whatever runs; cancel the switch to a company; end a connection. Seconds between two strikes.
# Our switch travels with the first read; the library's is a statement of its own, over in a moment and hard to hit.
STRIKES = {
    "cancel": 0.004,
    "cancel the switch": 0.0 if settings.BACKEND == "library" else 0.0002,
    "terminate": 0.2,
}


class Storm:
    """Eight threads, two workers and three strikers on four connections."""

    def __init__(self, seconds: float, stop_at: int | None, database: str, companies: list[Company]) -> None:
        self.seconds, self.stop_at, self.database, self.companies = seconds, stop_at, database, companies
        self.report, self.over, self.gust = Report(), threading.Event(), threading.Event()
        by_id = {company.id: company for company in companies}
        kind = Library if settings.BACKEND == "library" else Ours
        engine = kind(by_id, lambda company: self.crowd.errand(company))
        self.crowd = Crowd(engine, companies, self.report)

    def run(self) -> None:
        """Let everything loose, wait, then look whether calm returns."""
        worker = dramatiq.Worker(dramatiq.get_broker(), queues={QUEUE}, worker_threads=2, worker_timeout=100)
        worker.start()
        threads = [threading.Thread(target=self.work, args=(seed,), daemon=True) for seed in range(THREADS)]
        threads += [threading.Thread(target=self.strike, args=each, daemon=True) for each in STRIKES.items()]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        while not self.over.is_set() and not self._is_enough(time.monotonic() - began):
            self._blow()
        self.over.set()
        self.gust.set()
        for thread in threads:
            thread.join(timeout=60)
        worker.stop(timeout=30_000)
        if any(thread.is_alive() for thread in threads):
            self.report.broken.append("a thread hangs")
        self.calm()

    def _blow(self) -> None:
        self.gust.set()
        self.over.wait(GUST)
        self.gust.clear()
        self.over.wait(LULL)

    def _is_enough(self, passed: float) -> bool:
        if self.stop_at is not None:
            return passed >= self.seconds or self.report.leaks >= self.stop_at
        return passed >= self.seconds + LONGER or (passed >= self.seconds and self.report.rows.keys() >= DEEDS)

    def work(self, seed: int) -> None:
        """Do one thing after the other for one company after the other."""
        choose = random.Random(seed)
        while not self.over.is_set():
            deed, company = choose.choice(self.crowd.deeds), choose.choice(self.companies)
            with self.judged(deed.__name__):
                deed(company, choose)

    @contextmanager
    def judged(self, what: str) -> Iterator[None]:
        """Count honest errors, keep the others, and end as a request ends."""
        try:
            yield
        except HONEST as error:
            self.report.refuse(what, error)
        except IdentityMismatch as error:
            self.report.refuse("proof", error)
        except BaseException:
            self.report.broken.append(traceback.format_exc())
        finally:
            try:
                close_old_connections()
            except HONEST as error:
                self.report.refuse("close", error)

    def strike(self, kind: str, pause: float) -> None:
        """Hit connections of the crowd until it is over."""
        try:
            with psycopg.connect(self.database, autocommit=True) as superuser:
                superuser.execute(STRIKE)
                while not self.over.is_set():
                    self.gust.wait()
                    row = superuser.execute("SELECT pg_temp.strike(%s, %s)", [kind, pause]).fetchone()
                    self.report.strike(kind, row[0] if row else 0)
        except psycopg.Error:
            self.report.broken.append(traceback.format_exc())
            self.over.set()

    def calm(self) -> None:
        """Afterwards every company is served, on every connection the pool holds; a dead one may show once."""
        choose = random.Random(0)
        for _ in range(10):
            for company in self.companies:
                before = self.report.refused.total()
                with self.judged("calm"):
                    self.crowd.read_in_a_transaction(company, choose)
                self.report.calm += self.report.refused.total() == before


def main() -> None:
    """Run the storm that standard input describes."""
    asked = json.load(sys.stdin)
    companies = [Company(UUID(given), mark, schema) for given, mark, schema in asked.pop("companies")]
    storm = Storm(companies=companies, **asked)
    storm.run()
    print(json.dumps(storm.report.as_json()), flush=True)
    # Threads of the pool and the broker have nothing left to say.
    os._exit(0)


if __name__ == "__main__":
    main()
