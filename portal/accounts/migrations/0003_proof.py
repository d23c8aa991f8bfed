"""Lets a mailed code prove who sits at a device that is signed in already; the column itself stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_no_like_indexes")]

    operations = [
        migrations.AlterField(
            model_name="logintoken",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("invite", "Invite"),
                    ("email_link", "Email Link"),
                    ("password_reset", "Password Reset"),
                    ("email_change", "Email Change"),
                    ("staff_first_sign_in", "Staff First Sign In"),
                    ("handoff", "Handoff"),
                    ("proof", "Proof"),
                ],
                max_length=20,
            ),
        )
    ]
