"""Creates the demo's operator and companies; may be run again and again."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.demo import COMPANIES, PASSWORD, DemoFailed, make_company
from console.models import Operator
from tenants.scope import control_scope

OPERATOR = "oscar@porchlight.example"


class Command(BaseCommand):
    """Make what the demo needs; run with DATABASE_LOGIN=owner while the web answers."""

    help = "Create the demo's operator, Acme Heating & Air and Globex Plumbing, and print how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing, then print one line for each way in."""
        if not settings.ENV.demo:
            raise CommandError("This is not a demo (DEMO is not set): known passwords would be created.")
        with control_scope():
            Operator.objects.get_or_create(
                email=OPERATOR,
                defaults={
                    "name": "Oscar Ortiz",
                    "role": Operator.Role.ADMIN,
                    "password_hash": make_password(PASSWORD),
                    "created_at": timezone.now(),
                },
            )
        try:
            for company in COMPANIES:
                make_company(company, self.stdout.write)
        except DemoFailed as problem:
            raise CommandError(str(problem)) from problem
        ways = [(f"Office of {company.slug}", company.owner_email, PASSWORD) for company in COMPANIES]
        ways.append(("Operators' console", OPERATOR, PASSWORD))
        ways += [
            (f"Customer of {company.slug}", company.invited, "by the link in the mailbox") for company in COMPANIES
        ]
        for place, person, proof in ways:
            self.stdout.write(f"sign-in: {place:<20}{person:<26}{proof}")
