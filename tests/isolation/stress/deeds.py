"""What the crowd does: reads, writes, savepoints, streams, tasks, stray threads; each answer is judged by its mark."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.customers.models import Customer
from tests.isolation.stress.engines import Company, Library, Ours
from tests.isolation.stress.report import Report

ROWS = 20
# Under which names the deeds report what they read; a stray thread must read nothing.
DEEDS = frozenset({"request", "transaction", "savepoint", "write", "stream", "sweep", "task"})


class Undo(Exception):
    """Ends a block on purpose."""


class Crowd:
    """Deeds on one engine; `companies` are all there are."""

    def __init__(self, engine: Ours | Library, companies: list[Company], report: Report) -> None:
        self.engine, self.companies, self.report = engine, companies, report
        self.strays = ThreadPoolExecutor(2, thread_name_prefix="stray")
        self.deeds: list[Callable[[Company, random.Random], None]] = [
            self.read_one_by_one,
            self.read_in_a_transaction,
            self.go_back_to_a_savepoint,
            self.write,
            self.stream,
            self.read_outside_a_request,
            self.send_a_task,
            self.start_a_stray_thread,
        ]

    def look(self, deed: str, company: Company) -> None:
        """Read all of the company's marked rows and judge them."""
        names = list(Customer.objects.filter(number__startswith="M-").values_list("name", flat=True))
        self.report.saw(deed, company.mark, names, expected=ROWS)

    # -- requests ------------------------------------------------------------------------------------------
    def read_one_by_one(self, company: Company, choose: random.Random) -> None:
        """Answer a request whose view has no transaction."""

        def view(_: HttpRequest) -> HttpResponseBase:
            for _again in range(4):
                self.look("request", company)
            return HttpResponse()

        self.engine.request(company, view)

    def read_in_a_transaction(self, company: Company, choose: random.Random) -> None:
        """Answer a request whose view has one transaction."""

        @transaction.atomic
        def view(_: HttpRequest) -> HttpResponseBase:
            for _again in range(3):
                self.look("transaction", company)
            return HttpResponse()

        self.engine.request(company, view)

    def go_back_to_a_savepoint(self, company: Company, choose: random.Random) -> None:
        """Write in nested blocks, lose the inner ones, read on: once by our own error, once by the server's."""

        @transaction.atomic
        def view(_: HttpRequest) -> HttpResponseBase:
            self.look("savepoint", company)
            for lose in (self._raise, self._divide, self._nest):
                try:
                    with transaction.atomic():
                        self._write(company)
                        lose(company)
                except (Undo, ZeroDivisionError):
                    self.look("savepoint", company)
            return HttpResponse()

        self.engine.request(company, view)

    def write(self, company: Company, choose: random.Random) -> None:
        """Write a row of the company and an effect for its outbox, in one transaction."""

        @transaction.atomic
        def view(_: HttpRequest) -> HttpResponseBase:
            self._write(company)
            Customer.objects.filter(number__startswith="M-").update(updated_at=F("updated_at"))
            self.engine.emit(company)
            self.look("write", company)
            return HttpResponse()

        self.engine.request(company, view)

    def stream(self, company: Company, choose: random.Random) -> None:
        """Send a long answer in parts while the same thread serves others in between (D34)."""

        def view(_: HttpRequest) -> HttpResponseBase:
            def body() -> Iterator[bytes]:
                for _part in range(4):
                    self.look("stream", company)
                    yield b"part"

            return StreamingHttpResponse(body())

        answer = self.engine.request(company, view)
        assert isinstance(answer, StreamingHttpResponse)
        for _part in answer:
            self.read_one_by_one(choose.choice(self.companies), choose)

    # -- outside requests ----------------------------------------------------------------------------------
    def read_outside_a_request(self, company: Company, choose: random.Random) -> None:
        """Serve one company after the other, as sweeps and commands do."""
        for each in choose.sample(self.companies, 3):
            with self.engine.inside(each):
                self.look("sweep", each)
                with transaction.atomic():
                    self.look("sweep", each)

    def send_a_task(self, company: Company, choose: random.Random) -> None:
        """Have a worker thread do something for the company."""
        self.engine.send(company)

    def errand(self, company: Company) -> None:
        """Read and write in a worker; now and then fall over with everything left open."""
        self.look("task", company)
        with transaction.atomic():
            self._write(company)
            self.look("task", company)
        if random.random() < 0.1:
            transaction.set_autocommit(False)
            self.look("task", company)
            raise Undo

    def start_a_stray_thread(self, company: Company, choose: random.Random) -> None:
        """Let a thread of a shared pool read: it serves nobody, so it must get nothing (D10)."""

        def stray() -> None:
            try:
                self.look("stray thread", company)
            finally:
                connection.close()

        def view(_: HttpRequest) -> HttpResponseBase:
            self.look("request", company)
            self.strays.submit(stray).result(timeout=30)
            return HttpResponse()

        self.engine.request(company, view)

    # -- parts ---------------------------------------------------------------------------------------------
    @staticmethod
    def _write(company: Company) -> None:
        now = timezone.now()
        Customer.objects.create(number=f"W-{uuid4().hex[:16]}", name=company.mark, created_at=now, updated_at=now)

    def _raise(self, company: Company) -> None:
        raise Undo

    def _divide(self, company: Company) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / (SELECT count(*) FROM customers_customer WHERE number = 'none')")
        except Exception as error:
            if "division by zero" not in str(error):
                raise
            self.look("savepoint", company)
            raise ZeroDivisionError from error

    def _nest(self, company: Company) -> None:
        with transaction.atomic():
            self._write(company)
            with transaction.atomic():
                self.look("savepoint", company)
        raise Undo
