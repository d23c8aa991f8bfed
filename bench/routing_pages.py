"""The pages of the routing benchmark: no query, one (who is signed in), seven (what such a person sees first)."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.accounts.models import PortalSession
from portal.accounts.sessions import session_of
from portal.customers.models import Contact, ContactPoint, Customer
from portal.invoices.models import Invoice
from portal.settings.models import CompanyProfile

NUMBER = "C-1001"
IDS: dict[str, UUID] = {}


def signed_in(request: HttpRequest) -> PortalSession:
    """Return the session, which every page of a customer begins with; one query."""
    session = session_of(request, tenant_of(request), timezone.now())
    assert session is not None
    return session


def tenant_of(request: HttpRequest) -> UUID:
    """Return the id that the tenant's rows carry; the product knows it, for the others it is looked up here."""
    known = getattr(getattr(request, "tenant", None), "id", None)
    return known if isinstance(known, UUID) else IDS[request.META["HTTP_HOST"]]


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer without a query."""
    return HttpResponse("ok")


def one(request: HttpRequest) -> HttpResponse:
    """Say who is signed in."""
    return HttpResponse(signed_in(request).portal_user.email)


def seven(request: HttpRequest) -> HttpResponse:
    """Say what belongs to whoever is signed in; six more queries, each by an index."""
    user = signed_in(request).portal_user
    access = PortalAccess.objects.select_related("customer").get(portal_user=user)
    found = [
        CompanyProfile.objects.get(pk=1).name,
        Customer.objects.get(number=NUMBER).name,
        Contact.objects.get(customer=access.customer_id, is_primary=True).name,
        ContactPoint.objects.get(value=user.email, is_primary=True).kind,
        len(Invoice.objects.filter(bill_to=access.customer_id)[:5]),
    ]
    return HttpResponse(f"{access.customer.name} {found}")


def schema(request: HttpRequest) -> HttpResponse:
    """Say in which schema the page's statements run; not measured, but asked of everybody before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (name,) = cursor.fetchone()
    return HttpResponse(name)


urlpatterns = [
    path("nothing", nothing),
    path("one", one),
    path("seven", seven),
    path("schema", schema),
]
