"""O-07: letting a company's trial last longer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.errors import StripeAway, SubscriptionDisagrees, TrialOver
from billing.services.trial import extend_trial
from console.forms import TrialForm
from console.guards import OperatorRequest, operator_view
from console.views import get_tenant
from portal.ui.formats import format_weekday_date


# Stripe may have to be told: no transaction is open around it.
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@operator_view("billing.extend")
def extend(request: OperatorRequest, tenant_id: UUID) -> HttpResponse:
    """Ask for how long and why, then extend."""
    found = get_tenant(tenant_id)
    form = TrialForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ends_at = extend_trial(tenant_id=found.pk, **form.cleaned_data, by=request.actor, now=timezone.now())
        except TrialOver:
            form.add_error(None, _("This company has a plan and no trial any more; nothing was changed."))
        except (StripeAway, SubscriptionDisagrees):
            form.add_error(None, _("Stripe didn’t answer. Nothing was changed; try again in a minute."))
        else:
            date = format_weekday_date(ends_at, "full_year")
            messages.success(request, _("The trial ends on %(date)s.") % {"date": date})
            return redirect("console:tenant", found.pk)
    context = {"tenant": found, "form": form}
    return render(request, "console/extend_trial.html", context, status=422 if form.errors else 200)
