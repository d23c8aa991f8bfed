"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS accounts_portaluser_email_f61bc85a_like, accounts_staffuser_email_ce711c2d_like",
            migrations.RunSQL.noop,
        )
    ]
