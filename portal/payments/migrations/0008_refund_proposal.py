import django.db.models.deletion
from django.db import migrations, models

import infra.ids


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_attempt_payer"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundProposal",
            fields=[
                ("id", models.UUIDField(default=infra.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("amount_cents", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("lines", models.JSONField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("requested_by_customer", "Customer"),
                            ("duplicate", "Duplicate"),
                            ("goodwill", "Goodwill"),
                            ("mistake", "Mistake"),
                            ("other", "Other"),
                        ],
                        max_length=24,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=300)),
                ("form_key", models.UUIDField(unique=True)),
                ("proposed_by", models.UUIDField()),
                ("proposed_by_name", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField()),
                ("decided_by", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_proposals",
                        to="payments.payment",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposal",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("payment",),
                        name="payment_has_one_waiting_proposal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gt", 0)), name="proposal_amount_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "waiting")),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by", models.F("proposed_by")),
                                ("state", "withdrawn"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("state__in", ["approved", "declined"]),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="decision_is_by_another_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("refund__isnull", False), ("state", "approved")),
                            models.Q(models.Q(("state", "approved"), _negated=True), ("refund__isnull", True)),
                            _connector="OR",
                        ),
                        name="approved_proposal_has_its_refund",
                    ),
                ],
            },
        ),
    ]
