"""The guards of the payment failures: where each stands, and which test misses it when it is gone."""

from __future__ import annotations

from dataclasses import dataclass

PAYMENTS, SERVICES = "portal/payments", "portal/payments/services"
TESTS, HOOKS = "tests/portal/payments", "tests/webhooks"


@dataclass(frozen=True)
class Guard:
    """One guard: its row, where it stands, what is put in its place, which test misses it, and what it is in words."""

    row: str
    path: str
    old: str
    new: str
    test: str
    words: str


GUARDS = [
    Guard(
        "F1",
        f"{PAYMENTS}/intents.py",
        'v1.payment_intents.create(params, {"idempotency_key": key})',
        "v1.payment_intents.create(params)",
        "tests/portal/methods/test_paying_on_file.py::test_a_lost_answer_with_a_card_on_file_is_found",
        "the attempt's own key on every call",
    ),
    Guard(
        "F2",
        f"{SERVICES}/settle.py",
        "UNSETTLED = (State.SUBMITTED, ",
        "UNSETTLED = (",
        f"{TESTS}/test_lost_answers.py::test_killed_after_the_call_the_sweeper_finds_the_payment",
        "the sweep looks for attempts that were left in submitted",
    ),
    Guard(
        "F3",
        f"{PAYMENTS}/intents.py",
        """        return NotExecuted("not_now")
    except stripe.StripeError as error:
        raise AnswerUnknown from error
    return read_intent(intent)""",
        """        return NotExecuted("not_now")
    except stripe.StripeError:
        return NotExecuted("not_now")
    return read_intent(intent)""",
        f"{TESTS}/test_lost_answers.py::test_a_payment_made_without_any_answer_is_found",
        "an error that proves nothing is not taken for a refusal",
    ),
    Guard(
        "F4",
        f"{SERVICES}/settle.py",
        "    found = intents.find_intent(account_id, "
        'customer=attempt.request["customer"], attempt_id=attempt.pk, since=sent)\n',
        "    found = sent and None\n",
        f"{TESTS}/test_lost_answers.py::test_a_payment_made_without_any_answer_is_found",
        "what a saved error hides is looked for in the customer's list",
    ),
    Guard(
        "F5",
        f"{SERVICES}/submit.py",
        "PaymentAttempt.objects.filter(form_key=submission.form_key).first()",
        "PaymentAttempt.objects.none().first()",
        f"{TESTS}/test_pay_by_card.py::test_eight_submits_of_one_form_are_one_payment",
        "a form is known again by its key",
    ),
    Guard(
        "F6",
        f"{PAYMENTS}/ledger.py",
        "invoice.balance_cents - invoice.pending_cents - invoice.reserved_cents",
        "invoice.balance_cents - invoice.pending_cents",
        f"{TESTS}/test_pay_by_card.py::test_a_payment_under_way_holds_the_invoice",
        "what is reserved cannot be paid by somebody else",
    ),
    Guard(
        "F7",
        f"{PAYMENTS}/intents.py",
        "        raise KeyMisused from error\n",
        '        return NotExecuted("not_now")\n',
        f"{TESTS}/test_lost_answers.py::test_a_key_is_never_used_with_other_parameters",
        "a key that was used otherwise is a fault of ours and no answer",
    ),
    Guard(
        "F8",
        f"{PAYMENTS}/pages.py",
        "form_key=uuid4()",
        'form_key=UUID("01930000-0000-7000-8000-000000000001")',
        f"{TESTS}/test_pages.py::test_a_decline_keeps_the_page_and_gives_it_a_new_key",
        "another card is another attempt with another key",
    ),
    Guard(
        "F9",
        "platform/webhooks/services/receive.py",
        "    ON CONFLICT (event_id) DO UPDATE SET deliveries = known.deliveries + 1\n",
        "",
        f"{HOOKS}/test_receiving.py::test_the_same_event_again_is_counted_and_not_stored",
        "an event is one row, however often it is delivered",
    ),
    Guard(
        "F10",
        f"{SERVICES}/posting.py",
        "    elif attempt.state in CLOSED:\n        return\n",
        "",
        f"{TESTS}/test_lost_answers.py::test_facts_fetched_early_and_applied_late_change_nothing",
        "what has ended stays ended, whichever event comes last",
    ),
    Guard(
        "F11",
        "platform/webhooks/services/pull.py",
        '            store_event(scope="connect", event=event, now=now)',
        "            pass",
        f"{HOOKS}/test_events_move_money.py::test_with_every_webhook_lost_the_event_list_is_read",
        "events that nobody delivered are read from the account's list",
    ),
    Guard(
        "F12",
        "platform/webhooks/services/receive.py",
        "    _check_signature(scope, body, signature)\n    event",
        "    event",
        f"{TESTS}/test_bad_input.py::test_an_unsigned_or_old_webhook_is_refused",
        "the signature is checked over the raw bytes, and its age",
    ),
    Guard(
        "F13",
        "platform/webhooks/services/receive.py",
        "CASE WHEN owner.is_missing THEN 'parked' ELSE %(state)s END",
        "%(state)s",
        f"{HOOKS}/test_receiving.py::test_an_unknown_account_is_parked_with_200",
        "an event of an account that nobody has is parked and not guessed",
    ),
    Guard(
        "F14",
        f"{SERVICES}/settle.py",
        "return intents.cancel_intent(account_id, facts.id) if is_over or was_refused else facts",
        'return __import__("dataclasses").replace(facts, status="canceled") if is_over or was_refused else facts',
        f"{TESTS}/test_lost_answers.py::test_an_abandoned_bank_page_is_canceled_and_freed",
        "what is freed here was canceled at Stripe first",
    ),
    Guard(
        "F15",
        "portal/autopay/services/charging.py",
        "    if ASKS_CUSTOMER in (code, decline_code):",
        "    if not ASKS_CUSTOMER:",
        "tests/portal/autopay/test_charging.py::test_the_bank_that_asks_for_its_customer_gets_them",
        "a bank that asks for its customer is not asked again without them",
    ),
    Guard(
        "F16",
        f"{SERVICES}/posting.py",
        'column = "pending_cents" if is_pending else "reserved_cents"',
        'column = "reserved_cents"',
        "tests/portal/methods/test_bank_debits.py::test_a_debit_that_fails_after_days_frees_the_invoice",
        "a debit that failed frees what it held",
    ),
    Guard(
        "F17",
        f"{SERVICES}/disputes.py",
        '    if stage == "closed" and dispute.status == "lost" and _is_bank_debit(dispute.payment):',
        "    if not stage:",
        "tests/portal/autopay/test_limits.py::test_a_bank_account_taken_back_pauses_autopay",
        "a bank's return ends the authorisation",
    ),
    Guard(
        "F18",
        f"{SERVICES}/refund_posting.py",
        "        if before not in Refund.ENDED:\n            _bring_back(",
        "        if before in Refund.ENDED:\n            _bring_back(",
        f"{TESTS}/test_refunds.py::test_a_refund_that_fails_later_is_given_back",
        "a refund that failed is given back to where it came from",
    ),
    Guard(
        "F19",
        f"{SERVICES}/refunds.py",
        "    if beyond or order.amount_cents > left:",
        "    if not order.amount_cents:",
        f"{TESTS}/test_refunds.py::test_of_two_racing_refunds_one_is_refused",
        "a refund is compared with what is left of the payment",
    ),
    Guard(
        "F20",
        f"{SERVICES}/refunds.py",
        "    if any(dispute.blocks_refund for dispute in payment.disputes.all()):\n",
        "    if not payment:\n",
        f"{TESTS}/test_disputes.py::test_a_disputed_payment_cannot_be_refunded",
        "what is disputed is not refunded",
    ),
    Guard(
        "F21",
        f"{SERVICES}/refund_posting.py",
        "_known(facts, payment, tenant_id) or _adopt(facts, payment, now)",
        "_known(facts, payment, tenant_id) or Refund.objects.get()",
        f"{TESTS}/test_refunds.py::test_a_refund_made_by_hand_is_adopted_once",
        "a refund that nobody here has asked for is adopted",
    ),
    Guard(
        "F22",
        f"{SERVICES}/submit.py",
        "    if account is None or not account.can_charge:",
        "    if account is None:",
        f"{TESTS}/test_pay_by_card.py::test_a_company_that_cannot_take_cards_refuses_before_stripe",
        "a company that cannot take cards takes none",
    ),
    Guard(
        "F23",
        f"{SERVICES}/submit.py",
        "    if is_stripe_away():\n        raise errors.StripeIsAway\n",
        "",
        f"{TESTS}/test_stripe_away.py::test_whoever_presses_pay_is_told_at_once_and_nothing_is_reserved",
        "while Stripe does not answer, who presses pay is told so before anything is begun",
    ),
    Guard(
        "F24",
        "portal/importing/invoice_store.py",
        "    if (here or busy) and (differing.keys() & set(_MONEY) or claimed > record.total_cents):",
        "    if not wanted:",
        "tests/portal/importing/test_import_runs.py::test_an_invoice_is_not_lowered_below_what_is_under_way",
        "an invoice is not lowered below what is under way, so that no part of it is left over",
    ),
    Guard(
        "F24",
        f"{PAYMENTS}/ledger.py",
        "for invoice in invoices if invoice.status in PAYABLE}",
        "for invoice in invoices}",
        f"{TESTS}/test_changed_meanwhile.py"
        "::test_money_for_an_invoice_that_was_withdrawn_meanwhile_is_the_customers_credit",
        "money for an invoice that was withdrawn meanwhile becomes credit",
    ),
    Guard(
        "F25",
        f"{SERVICES}/posting.py",
        "    if wrong:\n        raise IntentDisagrees(",
        "    if not claims:\n        raise IntentDisagrees(",
        f"{TESTS}/test_lost_answers.py::test_an_intent_that_disagrees_with_its_attempt_is_not_applied",
        "an intent is compared with its attempt before it is believed",
    ),
    Guard(
        "F26",
        f"{SERVICES}/disputes.py",
        "    if taken.loss_cents:\n        report_loss(",
        "    if not amount_cents:\n        report_loss(",
        f"{TESTS}/test_disputes.py::test_refunded_and_returned_reopens_once_and_is_a_loss",
        "money that belonged to nothing any more is reported as a loss",
    ),
]
