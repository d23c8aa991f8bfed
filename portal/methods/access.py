"""Whose methods a request is about, and whether its person may see them (AUZ-02, CARD-08, PAY-20)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.http import Http404, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from portal.access.policy import may_see_billing
from portal.accounts.guards import CustomerRequest, customer_view
from portal.payments.models import PaymentMethod
from tenants.config.registry import METHODS_SECTION

P = ParamSpec("P")


class MethodsRequest(CustomerRequest):
    """A request of somebody who may manage the methods of one customer."""

    customer_id: UUID


def methods_view(
    view: Callable[Concatenate[MethodsRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Run the view for the chosen account's billing; raises Http404 where the section is hidden or closed to them."""

    @customer_view
    @wraps(view)
    def guarded(request: CustomerRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.viewer.must_choose:
            return HttpResponseRedirect(reverse("home:accounts"))
        grant = request.viewer.chosen
        if grant is None or not may_see_billing(grant).allowed or request.settings.get(METHODS_SECTION) != "show":
            raise Http404
        request.customer_id = grant.customer_id  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return guarded


def method_of(request: MethodsRequest, method_id: UUID, states: tuple[str, ...]) -> PaymentMethod:
    """Return a method of the chosen account; raises Http404, alike for unknown and another's (AUZ-02)."""
    rows = PaymentMethod.objects.filter(bill_to_id=request.customer_id, state__in=states)
    found = rows.filter(pk=method_id).first()
    if found is None:
        raise Http404
    return found
