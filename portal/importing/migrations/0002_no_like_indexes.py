"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("importing", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS importing_transferjob_storage_key_37cdecbf_like",
            migrations.RunSQL.noop,
        )
    ]
