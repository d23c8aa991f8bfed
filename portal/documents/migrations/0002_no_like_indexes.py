"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS documents_mediaitem_storage_key_6eb556b8_like",
            migrations.RunSQL.noop,
        )
    ]
