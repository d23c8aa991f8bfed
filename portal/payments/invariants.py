"""What must be true of the money of one tenant at every moment, as statements that find exceptions (PAY-14, PAY-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

RESERVATION = timedelta(minutes=15)
# The sweeper needs a few rounds after the reservation's end before it counts as broken.
GRACE = timedelta(minutes=5)

QUERIES: dict[str, str] = {
    "the legs of a source sum to zero": """
        SELECT kind || ':' || source_id FROM payments_journal
         GROUP BY kind, source_type, source_id HAVING sum(delta_cents) <> 0""",
    "paid equals the receivable legs": """
        SELECT i.number FROM invoices_invoice i
         WHERE i.paid_cents <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
               WHERE j.invoice_id = i.id AND j.account = 'receivable'
                 AND j.kind NOT IN ('credit_note', 'credit_note_undone')), 0)""",
    "credited equals the credit notes": """
        SELECT i.number FROM invoices_invoice i
         WHERE i.credited_cents <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
               WHERE j.invoice_id = i.id AND j.account = 'receivable'
                 AND j.kind IN ('credit_note', 'credit_note_undone')), 0)""",
    "paid equals the allocations": """
        SELECT i.number FROM invoices_invoice i
         WHERE i.paid_cents <> COALESCE((SELECT sum(CASE WHEN a.reverses_id IS NULL THEN a.amount_cents
                                                         ELSE -a.amount_cents END)
               FROM payments_paymentallocation a WHERE a.invoice_id = i.id), 0)""",
    "reserved equals the open attempts": """
        SELECT i.number FROM invoices_invoice i
         WHERE i.reserved_cents <> COALESCE((SELECT sum((p->>'amount_cents')::bigint)
               FROM payments_paymentattempt t, jsonb_array_elements(t.plan) p
              WHERE t.state IN ('submitted', 'requires_action', 'unknown') AND (p->>'invoice')::uuid = i.id), 0)""",
    "pending equals the attempts in processing": """
        SELECT i.number FROM invoices_invoice i
         WHERE i.pending_cents <> COALESCE((SELECT sum((p->>'amount_cents')::bigint)
               FROM payments_paymentattempt t, jsonb_array_elements(t.plan) p
              WHERE t.state = 'processing' AND (p->>'invoice')::uuid = i.id), 0)""",
    "no invoice is claimed beyond its total": """
        SELECT number FROM invoices_invoice
         WHERE paid_elsewhere_cents + paid_cents + credited_cents + pending_cents + reserved_cents > total_cents""",
    "a payment counts its allocations": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.allocated_cents <> COALESCE((SELECT sum(CASE WHEN a.reverses_id IS NULL THEN a.amount_cents
                                                              ELSE -a.amount_cents END)
               FROM payments_paymentallocation a WHERE a.payment_id = p.id), 0)""",
    "credit equals its legs": """
        SELECT p.id::text FROM payments_payment p
         WHERE COALESCE((SELECT sum(c.remaining_cents) FROM payments_credit c WHERE c.payment_id = p.id), 0)
            <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
                          WHERE j.payment_id = p.id AND j.account = 'credit'), 0)""",
    "what came in is allocated, credit or gone again": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.allocated_cents
             + COALESCE((SELECT sum(c.remaining_cents) FROM payments_credit c WHERE c.payment_id = p.id), 0)
            <> p.received_cents - p.disputed_out_cents
             - COALESCE((SELECT sum(r.amount_cents) FROM payments_refund r WHERE r.payment_id = p.id
                            AND r.state IN ('pending', 'requires_action', 'succeeded')), 0)
             + COALESCE((SELECT sum(j.delta_cents) FROM payments_journal j
                          WHERE j.payment_id = p.id AND j.account = 'loss'), 0)""",
    "refunded counts every refund that has not failed": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.refunded_cents <> COALESCE((SELECT sum(r.amount_cents) FROM payments_refund r
               WHERE r.payment_id = p.id AND r.state NOT IN ('failed', 'canceled')), 0)""",
    "what was refunded has left": """
        SELECT p.id::text FROM payments_payment p
         WHERE COALESCE((SELECT sum(r.amount_cents) FROM payments_refund r WHERE r.payment_id = p.id
                            AND r.state IN ('pending', 'requires_action', 'succeeded')), 0)
            <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
                WHERE j.payment_id = p.id AND j.kind IN ('refund', 'refund_failed', 'reversal')
                  AND j.account IN ('stripe_clearing', 'cash')), 0)""",
    "disputed out is what disputes withdrew": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.disputed_out_cents <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
               WHERE j.payment_id = p.id AND j.kind IN ('dispute', 'dispute_reinstated')
                 AND j.account = 'stripe_clearing'), 0)
            OR p.disputed_out_cents <> COALESCE((SELECT sum(d.withdrawn_cents) FROM payments_dispute d
               WHERE d.payment_id = p.id), 0)""",
    "every refund that left has one notice": """
        SELECT r.id::text FROM payments_refund r
         WHERE r.state IN ('pending', 'requires_action', 'succeeded') AND r.origin <> 'correction'
           AND NOT EXISTS (SELECT 1 FROM core_outboxevent e WHERE e.key = 'refund:' || r.id)""",
    "what came in is held": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.received_cents <> COALESCE((SELECT sum(j.delta_cents) FROM payments_journal j
               WHERE j.payment_id = p.id AND j.kind = 'payment' AND j.account IN ('stripe_clearing', 'cash')), 0)""",
    "an attempt succeeded exactly when its payment did": """
        SELECT t.id::text FROM payments_paymentattempt t
          LEFT JOIN payments_payment p ON p.attempt_id = t.id AND p.received_cents > 0
         WHERE (t.state = 'succeeded') <> (p.id IS NOT NULL)""",
    "every payment received has one receipt event": """
        SELECT p.id::text FROM payments_payment p
         WHERE p.received_cents > 0 AND p.origin <> 'office'
           AND NOT EXISTS (SELECT 1 FROM core_outboxevent e WHERE e.key = 'receipt:' || p.id)""",
    "a paid deposit equals its allocations": """
        SELECT e.number FROM estimates_estimate e
         WHERE e.deposit_paid_cents <> COALESCE((SELECT sum(CASE WHEN a.reverses_id IS NULL THEN a.amount_cents
                                                                 ELSE -a.amount_cents END)
               FROM payments_paymentallocation a WHERE a.estimate_id = e.id), 0)""",
    "a held deposit equals its legs": """
        SELECT p.id::text FROM payments_payment p
         WHERE COALESCE((SELECT sum(CASE WHEN a.reverses_id IS NULL THEN a.amount_cents ELSE -a.amount_cents END)
               FROM payments_paymentallocation a WHERE a.payment_id = p.id AND a.estimate_id IS NOT NULL), 0)
            <> COALESCE((SELECT -sum(j.delta_cents) FROM payments_journal j
                          WHERE j.payment_id = p.id AND j.account = 'deposit'), 0)""",
    "a reserved deposit equals the open attempts": """
        SELECT e.number FROM estimates_estimate e
         WHERE e.deposit_reserved_cents <> COALESCE((SELECT sum((p->>'amount_cents')::bigint)
               FROM payments_paymentattempt t, jsonb_array_elements(t.plan) p
              WHERE t.state IN ('submitted', 'requires_action', 'unknown') AND (p->>'estimate')::uuid = e.id), 0)""",
    "a pending deposit equals the attempts in processing": """
        SELECT e.number FROM estimates_estimate e
         WHERE e.deposit_pending_cents <> COALESCE((SELECT sum((p->>'amount_cents')::bigint)
               FROM payments_paymentattempt t, jsonb_array_elements(t.plan) p
              WHERE t.state = 'processing' AND (p->>'estimate')::uuid = e.id), 0)""",
    "only an approved estimate holds a deposit": """
        SELECT number FROM estimates_estimate WHERE status <> 'approved' AND deposit_paid_cents <> 0""",
    "never more is refunded than was received": """
        SELECT id::text FROM payments_payment WHERE refunded_cents > received_cents""",
}
STALE = """
    SELECT id::text FROM payments_paymentattempt
     WHERE state IN ('submitted', 'requires_action', 'unknown') AND expires_at < %s"""


@dataclass(frozen=True, slots=True)
class Broken:
    """One invariant that does not hold, with the rows that break it."""

    rule: str
    rows: tuple[str, ...]


def find_broken_invariants(now: datetime) -> list[Broken]:
    """Return every broken rule of the tenant in scope; empty means that the ledger is sound."""
    broken = []
    with connection.cursor() as cursor:
        for rule, query in QUERIES.items():
            cursor.execute(query)
            if rows := cursor.fetchall():
                broken.append(Broken(rule, tuple(str(row[0]) for row in rows)))
        cursor.execute(STALE, [now - GRACE])
        if rows := cursor.fetchall():
            broken.append(Broken("a reservation ends after fifteen minutes", tuple(row[0] for row in rows)))
    return broken
