"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS customers_customer_external_id_b1779fc4_like,"
            " customers_customer_number_c63b3994_like,"
            " customers_customer_stripe_customer_id_f6e5ab31_like",
            migrations.RunSQL.noop,
        )
    ]
