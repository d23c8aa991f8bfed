"""What the fleet is migrated by; it exists only while that is measured."""

from pkgutil import iter_modules

import django.db.models.deletion
from django.db import migrations, models

import infra.ids
from portal.invoices import migrations as present


class Migration(migrations.Migration):
    dependencies = [("invoices", max(module.name for module in iter_modules(present.__path__)))]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="priority",
            field=models.SmallIntegerField(default=0, db_default=0),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["priority", "due_on"], name="invoice_by_priority"),
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.UUIDField(default=infra.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("note", models.TextField(blank=True, default="")),
                ("due_on", models.DateField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice"
                    ),
                ),
            ],
        ),
    ]
