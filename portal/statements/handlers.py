"""Mails a statement that was asked for, with its PDF."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import PortalUser
from portal.accounts.viewer import usable_grants
from portal.invoices.policy import section_is_open
from portal.messaging.services import Attachment, Related, reader_of, send_message, was_sent
from portal.settings.brand import load_brand
from portal.statements.pdf import pdf_name, render_statement_pdf
from portal.statements.selectors import make_statement
from portal.statements.services import ASKED
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles(ASKED)
def send_statement(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the statement unless the person's access has ended since; a second delivery finds it sent."""
    user = PortalUser.objects.filter(pk=UUID(event.payload["user"]), status=PortalUser.Status.ACTIVE).first()
    if user is None or was_sent(event.key):
        return
    wanted = {UUID(pk) for pk in event.payload["customers"]}
    grants = tuple(grant for grant in usable_grants(user) if grant.customer_id in wanted)
    if not section_is_open(grants, context.settings).allowed:
        return
    now = timezone.now()
    first, last = date.fromisoformat(event.payload["first"]), date.fromisoformat(event.payload["last"])
    with reader_of(context.tenant, user.language):
        statement = make_statement(
            grants, settings=context.settings, tenant=context.tenant, first=first, last=last, now=now
        )
        account = statement.account
        period = {"first": format_weekday_date(first, "year"), "last": format_weekday_date(last, "year")}
        open_now = format_money(account.closing_cents, statement.currency)
        subject = _("Your statement from %(first)s to %(last)s") % period
        values = {
            "preheader": _("%(amount)s is open at the end.") % {"amount": open_now},
            "heading": _("Your statement"),
            "paragraphs": [_("It covers %(first)s to %(last)s. The file is attached.") % period],
            "facts": [
                {"label": _("At the beginning"), "value": format_money(account.opening_cents, statement.currency)},
                {"label": _("Added"), "value": format_money(account.charged_cents, statement.currency)},
                {"label": _("Paid and credited"), "value": format_money(account.settled_cents, statement.currency)},
                {"label": _("Open at the end"), "value": open_now},
            ],
            "button_url": context.tenant.url("/invoices/"),
            "button_text": _("See your invoices"),
            "reason": _("You get this mail because you asked for it on our portal."),
        }
        attachment = Attachment(
            pdf_name(statement), "application/pdf", render_statement_pdf(statement, load_brand(context.tenant))
        )
    send_message(
        context=context,
        kind="statement",
        to=user.email,
        language=user.language,
        subject=subject,
        template="email/statement",
        values=values,
        event_key=event.key,
        related=Related("portal_user", user.pk),
        attachments=(attachment,),
        now=now,
    )
