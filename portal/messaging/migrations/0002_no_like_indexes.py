"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS messaging_outboundmessage_event_key_804ab233_like",
            migrations.RunSQL.noop,
        )
    ]
