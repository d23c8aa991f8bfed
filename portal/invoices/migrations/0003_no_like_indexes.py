"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoices", "0002_invoice_short_code_at_birth")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS invoices_invoice_external_id_49fc12ab_like,"
            " invoices_invoice_number_a7116fce_like,"
            " invoices_invoice_short_code_71c9e4e6_like",
            migrations.RunSQL.noop,
        )
    ]
