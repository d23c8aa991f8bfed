"""Flags become keys like any other: their values move into the table of settings, which learns cohorts and kills."""

import django.db.models.deletion
from django.db import migrations, models

import infra.ids

MOVED = """
INSERT INTO tenants_settingvalue (id, scope, scope_id, key, value, locked, expires_at, set_by, set_at, reason, version)
SELECT gen_random_uuid(), 'operator', o.tenant_id::text, o.flag_id, to_jsonb(o.value), false, o.expires_at,
       o.set_by, o.set_at, o.reason, t.config_version
  FROM tenants_flagoverride o JOIN tenants_tenant t ON t.id = o.tenant_id;

INSERT INTO tenants_settingvalue (id, scope, scope_id, key, value, locked, expires_at, set_by, set_at, reason, version)
SELECT gen_random_uuid(), place.scope, '', f.key, to_jsonb(place.value), false, NULL, f.owner, now(), '', e.flag_epoch
  FROM tenants_flag f CROSS JOIN tenants_epoch e
 CROSS JOIN LATERAL (VALUES ('platform', true, f."default"), ('kill', false, f.killed)) place(scope, value, is_there)
 WHERE place.is_there;
"""

# One look-up by index for each place that speaks to this company, however many others have values.
VIEWS = """
DROP VIEW gate.me;
CREATE VIEW gate.me WITH (security_barrier) AS
SELECT t.id AS tenant_id, t.slug, t.display_name, t.schema_name, t.lifecycle,
       t.first_activated_at IS NOT NULL AS was_active, t.service_mode, t.review, t.config_version,
       t.schema_fingerprint, t.time_zone, t.locale, t.country, t.currency,
       p.code AS plan_code, p.application_fee_bps,
       (SELECT array_agg(DISTINCT h.kind ORDER BY h.kind) FROM public.tenants_hold h
         WHERE h.tenant_id = t.id AND h.released_at IS NULL) AS holds,
       (SELECT e.flag_epoch + e.plan_epoch FROM public.tenants_epoch e) AS flag_epoch,
       a.account_id, a.card_payments, a.livemode
  FROM public.tenants_tenant t
  JOIN public.tenants_plan p ON p.id = t.plan_id
  LEFT JOIN public.tenants_paymentaccount a ON a.tenant_id = t.id AND a.disconnected_at IS NULL
 WHERE t.schema_name = current_user;

CREATE OR REPLACE VIEW gate.settings WITH (security_barrier) AS
SELECT s.key, s.scope, s.value, s.locked, s.expires_at, place.rank
  FROM public.tenants_tenant t
 CROSS JOIN LATERAL (
       VALUES ('platform', '', 0), ('kill', '', 0), ('plan', t.plan_id::text, 0), ('grant', t.id::text, 0),
              ('operator', t.id::text, 0), ('owner', t.id::text, 0)
       UNION ALL
       SELECT 'cohort', c.name, c.rank::integer
         FROM public.tenants_cohortmember m JOIN public.tenants_cohort c ON c.name = m.cohort_id
        WHERE m.tenant_id = t.id) place(scope, scope_id, rank)
  JOIN public.tenants_settingvalue s ON s.scope = place.scope AND s.scope_id = place.scope_id
 WHERE t.schema_name = current_user;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_address_of_nobody")]
    operations = [
        migrations.CreateModel(
            name="Cohort",
            fields=[
                ("name", models.SlugField(max_length=40, primary_key=True, serialize=False)),
                ("rank", models.PositiveSmallIntegerField(unique=True)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CohortMember",
            fields=[
                (
                    "id",
                    models.UUIDField(default=infra.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("added_by", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="members", to="tenants.cohort"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cohort_memberships",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("cohort", "tenant"), name="company_is_in_a_cohort_once")
                ]
            },
        ),
        migrations.AlterField(
            model_name="settingvalue",
            name="scope",
            field=models.CharField(
                choices=[
                    ("platform", "Platform"),
                    ("grant", "Grant"),
                    ("plan", "Plan"),
                    ("cohort", "Cohort"),
                    ("operator", "Operator"),
                    ("owner", "Owner"),
                    ("kill", "Kill"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunSQL(MOVED, migrations.RunSQL.noop),
        migrations.RunSQL(VIEWS, migrations.RunSQL.noop),
        migrations.DeleteModel(name="FlagOverride"),
        migrations.DeleteModel(name="Flag"),
        migrations.RemoveConstraint(model_name="settingvalue", name="platform_value_has_no_owner"),
        migrations.AddConstraint(
            model_name="settingvalue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope__in", ["platform", "kill"]), ("scope_id", "")),
                    models.Q(
                        models.Q(("scope__in", ["platform", "kill"]), _negated=True),
                        models.Q(("scope_id", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="setting_names_whom_it_is_for",
            ),
        ),
        migrations.AddIndex(model_name="settingvalue", index=models.Index(fields=["key"], name="setting_by_key")),
    ]
