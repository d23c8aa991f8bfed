"""Drops what Django made for `LIKE 'x%'`, which nothing asks; the backend makes no more of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_disputes")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS payments_payment_receipt_no_5e02530e_like,"
            " payments_payment_stripe_balance_txn_184afcb3_like,"
            " payments_payment_stripe_charge_id_cb3936ad_like,"
            " payments_payment_stripe_pi_id_88a7f0dd_like,"
            " payments_paymentattempt_stripe_pi_id_52a76489_like,"
            " payments_dispute_stripe_dispute_id_1d5bb3f1_like,"
            " payments_refund_stripe_refund_id_aae1bedf_like,"
            " payments_refund_stripe_balance_txn_0b924d17_like,"
            " payments_refund_failure_txn_c6b56eed_like",
            migrations.RunSQL.noop,
        )
    ]
