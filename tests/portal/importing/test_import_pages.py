"""The import pages of the office, from file to report, through HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.accounts.client import Client as Browser
from portal.accounts.models import StaffUser
from portal.accounts.staff_sessions import cookie_name, start_session
from portal.customers.models import Customer
from portal.importing.models import TransferJob
from portal.importing.services import check_import
from portal.importing.services.run_import import run_import
from portal.office.imports.problem_list import neutralise
from tenants.context import prove_tenant
from tenants.scope import tenant_scope
from tests.cast import ACME

SCHEMA = "t_ac3e00000000000000000001"
LIST = (
    b"Customer ID,Name,E-mail,Phone\n"
    b"C-3001,Ana Adams,ana@example.com,call her\n"
    b",Nobody,nobody@example.com,\n"
    b"C-3002,Ben Brooks,ben@example.com,\n"
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def sign_in(client: Any, email: str = "olive@acme.example", **changes: Any) -> Any:
    with tenant_scope(ACME, SCHEMA):
        staff = StaffUser.objects.get(email=email)
        for name, value in changes.items():
            setattr(staff, name, value)
        staff.save()
        _session, token = start_session(
            staff=staff, tenant_id=ACME, client=Browser(None, "test", ""), now=timezone.now()
        )
    client.cookies[cookie_name()] = token
    return client


@pytest.fixture
def office(acme_client: Any) -> Any:
    return sign_in(acme_client)


def send(office: Any, data: bytes, kind: str = "customers", name: str = "list.csv") -> Any:
    return office.post("/office/import", {"kind": kind, "file": SimpleUploadedFile(name, data)})


def choices(page: str) -> dict[str, str]:
    """Return what the form on the columns page would send."""
    lists = re.findall(r'<select name="([^"]+)"(.*?)</select>', page, re.DOTALL)
    chosen = {name: re.search(r'value="([^"]*)" selected', options) for name, options in lists}
    return {name: match[1] if match else "" for name, match in chosen.items()}


def work(job_id: UUID) -> None:
    """Do what the worker does."""
    with tenant_scope(ACME, SCHEMA):
        run_import(job_id=job_id, context=prove_tenant(ACME, timezone.now()), clock=timezone.now)


def newest() -> TransferJob:
    with tenant_scope(ACME, SCHEMA):
        return TransferJob.objects.latest("created_at")


def test_a_list_goes_from_file_to_report(office: Any) -> None:
    answer = send(office, LIST)
    assert answer.status_code == 303
    page = office.get(answer["Location"])
    assert page.status_code == 200
    form = choices(page.content.decode())
    assert form == {
        "c0": "external_id",
        "c1": "name",
        "c2": "email",
        "c3": "phone",
        "date_order": "auto",
        "decimal_mark": "auto",
    }
    answer = office.post(answer["Location"], form)
    assert answer["Location"].endswith("/preview")
    page = office.get(answer["Location"]).content.decode()
    assert "Import 2 customers" in page
    assert "This row has no customer ID." in page
    assert "We leave it out." in page
    answer = office.post(answer["Location"], {"step": "run"})
    assert answer["Location"].endswith("/progress")
    job = newest()
    page = office.get(answer["Location"]).content.decode()
    assert "data-poll-url" in page
    fragment = office.get(answer["Location"], headers={"X-Fragment": "1"}).content.decode()
    assert fragment.strip().startswith("<section")
    work(job.pk)
    answer = office.get(answer["Location"])
    assert answer["Location"].endswith("/report")
    page = office.get(answer["Location"]).content.decode()
    assert "Done" in page
    assert "This row has no customer ID." in page
    with tenant_scope(ACME, SCHEMA):
        assert Customer.objects.filter(external_id__in=["C-3001", "C-3002"]).count() == 2
    problems = office.get(f"/office/import/{job.pk}/problems.csv")
    text = problems.content.decode()
    assert "attachment" in problems["Content-Disposition"]
    assert "This row has no customer ID." in text
    assert b"list.csv" in office.get("/office/import").content


def test_a_file_that_is_no_list_is_answered_at_its_field(office: Any) -> None:
    answer = send(office, b"PK\x03\x04 workbook", name="list.xlsx")
    assert answer.status_code == 422
    assert "Excel" in answer.content.decode()
    with tenant_scope(ACME, SCHEMA):
        assert TransferJob.objects.count() == 0


def test_columns_that_cannot_work_are_explained(office: Any) -> None:
    place = send(office, LIST)["Location"]
    both = office.post(place, {"c0": "name", "c1": "name", "date_order": "auto", "decimal_mark": "auto"})
    assert both.status_code == 422
    assert "You picked this for" in both.content.decode()
    none = office.post(place, {"c2": "email", "date_order": "auto", "decimal_mark": "auto"})
    assert none.status_code == 422
    assert "Pick the column that holds the customer" in none.content.decode()


def test_a_large_file_is_checked_by_the_worker(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_import, "ROWS_AT_ONCE", 1)
    place = send(office, LIST)["Location"]
    form = choices(office.get(place).content.decode())
    answer = office.post(place, form)
    assert answer["Location"].endswith("/progress")
    page = office.get(answer["Location"]).content.decode()
    assert "Checking the rows" in page
    assert "Checking list.csv" in page


def test_an_import_can_be_stopped(office: Any) -> None:
    place = send(office, LIST)["Location"]
    answer = office.post(place, choices(office.get(place).content.decode()))
    office.post(answer["Location"], {"step": "run"})
    job = newest()
    answer = office.post(f"/office/import/{job.pk}/progress")
    assert "You stopped this import." in office.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("kind", ["customers", "invoices"])
def test_the_example_files_need_no_correction(office: Any, kind: str) -> None:
    data = office.get(f"/office/import/example-{kind}.csv").content
    place = send(office, data, kind)["Location"]
    page = office.get(place).content.decode()
    assert '<option value="" selected>' not in page
    assert "Still to match" not in page


def test_strangers_are_sent_to_sign_in_and_the_wrong_role_is_refused(acme_client: Any) -> None:
    for path in ("", "/example-customers.csv", f"/{UUID(int=1)}/report"):
        assert "/office/sign-in" in acme_client.get(f"/office/import{path}")["Location"]
    assert send(acme_client, LIST)["Location"].startswith("/office/sign-in")
    dispatcher = sign_in(acme_client, role=StaffUser.Role.DISPATCHER)
    assert dispatcher.get("/office/import").status_code == 403
    assert send(dispatcher, LIST).status_code == 403


def test_an_import_of_another_company_does_not_exist(office: Any, globex_client: Any) -> None:
    """ISO: the same id on another host is answered like an unknown one."""
    place = send(office, LIST)["Location"]
    assert globex_client.get(place).status_code in (302, 303, 404)
    assert office.get(f"/office/import/{UUID(int=1)}/columns").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", ' "=1', "'=1", "\x00=1"])
def test_no_cell_of_the_problem_list_is_a_formula(text: str) -> None:
    """INJ-07."""
    assert neutralise(text) == f"'{text}"
    assert neutralise("1 - 2") == "1 - 2"
