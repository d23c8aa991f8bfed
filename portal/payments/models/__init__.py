"""Money from customers: attempts to pay, payments, their allocation, credits, refunds, methods and the journal."""

from portal.payments.models.attempts import PaymentAttempt
from portal.payments.models.autopay import AutopayCharge, AutopayMandate
from portal.payments.models.journal import Journal
from portal.payments.models.methods import PaymentMethod
from portal.payments.models.payments import Credit, Payment, PaymentAllocation
from portal.payments.models.refunds import Dispute, Refund, RefundProposal

__all__ = [
    "AutopayCharge",
    "AutopayMandate",
    "Credit",
    "Dispute",
    "Journal",
    "Payment",
    "PaymentAllocation",
    "PaymentAttempt",
    "PaymentMethod",
    "Refund",
    "RefundProposal",
]
