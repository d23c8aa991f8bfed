"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS core_numbersequence_kind_921ea965_like, core_outboxevent_key_4da600ec_like",
            migrations.RunSQL.noop,
        )
    ]
