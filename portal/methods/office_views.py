"""The office's wish for a card or bank account on file (CARD-04)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.customers.models import Customer
from portal.methods import errors
from portal.methods.services.asking import ask_for_method
from tenants.config.registry import CARDS_ALLOW_ADD, METHODS_SECTION


@require_POST
@staff_view(Permission.SEND_INVOICES)
def ask_for_card(request: StaffRequest, customer_id: UUID) -> HttpResponse:
    """Mail the customer a link on which they add a method themselves; the office never types one (PAY-01)."""
    if not Customer.objects.filter(pk=customer_id, merged_into__isnull=True).exists():
        raise Http404
    target = HttpResponseRedirect(reverse("office:customer", args=[customer_id]) + "#methods", status=303)
    if request.settings.get(METHODS_SECTION) != "show" or not request.settings.get(CARDS_ALLOW_ADD):
        messages.error(request, _("Customers can’t add cards or accounts: it is turned off in your settings."))
        return target
    try:
        access = ask_for_method(customer_id=customer_id, by=request.actor, now=timezone.now())
    except errors.NobodyToAsk:
        messages.error(request, _("Nobody of this customer can sign in and see billing. Invite somebody first."))
        return target
    messages.success(request, _("Asked %(email)s by mail.") % {"email": access.portal_user.email})
    return target
