"""Subscriptions to our plans, the hold that closes the office alone, and both in the proof of each request."""

import django.db.models.deletion
from django.db import migrations, models

import infra.ids

# New columns stand at the end, so that the view is replaced under requests that are under way.
VIEW = """
CREATE OR REPLACE VIEW gate.me WITH (security_barrier) AS
SELECT t.id AS tenant_id, t.slug, t.display_name, t.schema_name, t.lifecycle,
       t.first_activated_at IS NOT NULL AS was_active, t.service_mode, t.review, t.config_version,
       t.schema_fingerprint, t.time_zone, t.locale, t.country, t.currency,
       p.code AS plan_code, p.application_fee_bps,
       (SELECT array_agg(DISTINCT h.kind ORDER BY h.kind) FROM public.tenants_hold h
         WHERE h.tenant_id = t.id AND h.released_at IS NULL) AS holds,
       (SELECT e.flag_epoch + e.plan_epoch FROM public.tenants_epoch e) AS flag_epoch,
       a.account_id, a.card_payments, a.livemode,
       COALESCE(s.status, '') AS billing_status, s.owing_since,
       COALESCE(s.trial_ends_at, t.first_activated_at + p.trial_days * interval '1 day') AS trial_ends_at
  FROM public.tenants_tenant t
  JOIN public.tenants_plan p ON p.id = t.plan_id
  LEFT JOIN public.tenants_paymentaccount a ON a.tenant_id = t.id AND a.disconnected_at IS NULL
  LEFT JOIN public.tenants_subscription s ON s.tenant_id = t.id
 WHERE t.schema_name = current_user::text COLLATE "default";
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_proof"),
    ]

    operations = [
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("billing", "Billing"),
                    ("abuse", "Abuse"),
                    ("security", "Security"),
                    ("owner", "Owner"),
                    ("operator", "Operator"),
                    ("office", "Office"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.UUIDField(default=infra.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("trial_ends_at", models.DateTimeField()),
                ("trial_noticed_for", models.DateTimeField(null=True)),
                ("stripe_customer_id", models.CharField(max_length=64, null=True, unique=True)),
                ("stripe_subscription_id", models.CharField(max_length=64, null=True, unique=True)),
                ("checkout_session_id", models.CharField(blank=True, default="", max_length=120)),
                ("status", models.CharField(blank=True, default="", max_length=24)),
                ("livemode", models.BooleanField(default=False)),
                ("current_period_end", models.DateTimeField(null=True)),
                ("cancels_at", models.DateTimeField(null=True)),
                ("mirror_version", models.BigIntegerField(default=0)),
                ("checked_at", models.DateTimeField(null=True)),
                ("owing_since", models.DateTimeField(null=True)),
                ("notices", models.PositiveSmallIntegerField(default=0)),
                ("noticed_at", models.DateTimeField(null=True)),
                ("held_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="subscription", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", ""),
                            models.Q(("stripe_customer_id__isnull", False), ("stripe_subscription_id__isnull", False)),
                            _connector="OR",
                        ),
                        name="subscription_status_comes_from_stripe",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("held_at__isnull", True),
                                ("noticed_at__isnull", True),
                                ("notices", 0),
                                ("owing_since__isnull", True),
                            ),
                            models.Q(
                                ("noticed_at__isnull", False), ("notices__gte", 1), ("owing_since__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="reminders_belong_to_an_unpaid_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held_at__isnull", True), ("notices__gte", 2), _connector="OR"),
                        name="office_is_held_after_two_notices",
                    ),
                ],
            },
        ),
        migrations.RunSQL(VIEW, migrations.RunSQL.noop),
    ]
