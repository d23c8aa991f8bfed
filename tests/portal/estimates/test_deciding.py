"""Approving, declining, asking for changes: one answer counts, to what was seen (AUZ-14, EST-02, EST-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.estimates import errors
from portal.estimates.models import Estimate, EstimateDecision, EstimateVersion, SignatureRecord
from portal.estimates.offer import hash_signed, read_offer
from portal.estimates.rows import state_of
from portal.estimates.services.deciding import answer_estimate, ask_again
from portal.estimates.services.drafting import save_draft
from portal.estimates.services.sending import mark_viewed
from tenants.context import serving
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.cast import ACME
from tests.parallel import in_parallel
from tests.portal.estimates import making
from tests.portal.estimates.making import WHO, again, approval, approve, draft, revise, sent, today

Status = Estimate.Status


def say(estimate: Estimate, kind: str, reason: str = "", version: int = 1) -> Estimate:
    return answer_estimate(
        estimate_id=estimate.pk,
        kind=kind,
        version=version,
        reason=reason,
        name="Alice Archer",
        who=WHO,
        today=today(),
        now=timezone.now(),
    )


def test_an_approval_is_signed_and_keeps_what_was_chosen(acme: Any) -> None:
    """EST-02: option, lines, total and deposit stand with the estimate; the signature's digest covers them."""
    estimate = approve(sent())
    assert (estimate.status, estimate.option_key, estimate.line_keys) == (Status.APPROVED, "b", ["b5"])
    assert (estimate.total_cents, estimate.deposit_cents) == (368500, 110550)
    decision = EstimateDecision.objects.get(estimate=estimate)
    signature = decision.signature
    assert signature
    version = EstimateVersion.objects.get(estimate=estimate)
    what = read_offer(version.body)
    sums = what.sums(what.options[1], ["b5"])
    assert signature.document_sha256 == hash_signed(version.content_hash, "b", ["b5"], sums, "I approve.")
    assert (signature.signer_name, signature.ip, signature.method) == ("Alice Archer", "203.0.113.7", "typed")
    assert AuditEvent.objects.get(action="estimate.approved").after["total_cents"] == 368500
    assert OutboxEvent.objects.get(type="estimate.decided").payload["kind"] == "approve"


def test_a_page_of_an_older_version_approves_nothing(acme: Any) -> None:
    """AUZ-14: the version is part of the statement that changes the state."""
    estimate = revise(sent())
    with pytest.raises(errors.NewerVersion):
        approve(estimate, approval(version=1))
    assert again(estimate.pk).status == Status.SENT
    assert not SignatureRecord.objects.exists()
    assert approve(estimate, approval(version=2)).status == Status.APPROVED


@pytest.mark.parametrize("kind", ["approve", "decline", "request_changes"])
def test_an_answered_estimate_takes_no_second_answer(acme: Any, kind: str) -> None:
    """AUZ-14."""
    estimate = sent()
    approve(estimate) if kind == "approve" else say(estimate, kind, "too dear")
    with pytest.raises(errors.EstimateRefused):
        approve(estimate)
    with pytest.raises(errors.EstimateRefused):
        say(estimate, "decline")
    assert EstimateDecision.objects.filter(estimate=estimate).count() == 1


def test_of_two_approvers_one_wins(committed: None) -> None:
    """Eight people approve at the same moment, each another choice, over real connections."""
    with serving(ACME, timezone.now()):
        estimate = sent()

    def press() -> Any:
        with serving(ACME, timezone.now()):
            return approve(making.again(estimate.pk))

    results = in_parallel(8, press)
    won = [each for each in results if isinstance(each, Estimate)]
    lost = [each for each in results if isinstance(each, errors.AlreadyDecided)]
    assert (len(won), len(lost)) == (1, 7), results
    with serving(ACME, timezone.now()):
        assert EstimateDecision.objects.filter(estimate=estimate).count() == 1
        assert SignatureRecord.objects.count() == 1


def test_a_new_version_and_an_approval_of_the_old_one_do_not_both_happen(committed: None) -> None:
    """AUZ-14: whoever is first wins; the other is told why."""
    with serving(ACME, timezone.now()):
        estimate = sent()

    turns = iter([True, False])

    def press() -> Any:
        with serving(ACME, timezone.now()):
            if next(turns):
                return approve(estimate)
            return revise(estimate)

    results = in_parallel(2, press)
    with serving(ACME, timezone.now()):
        found = again(estimate.pk)
        if found.status == Status.APPROVED:
            assert found.current == 1
            assert any(isinstance(each, errors.NotEditable | errors.NothingNew) for each in results), results
        else:
            assert (found.status, found.current) == (Status.SENT, 2)
            assert any(isinstance(each, errors.NewerVersion) for each in results), results


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"total": 368499}, errors.TotalChanged),
        ({"total": 360000, "lines": ("b5",)}, errors.TotalChanged),
        ({"option": "c"}, errors.ChoiceUnknown),
        ({"version": 2}, errors.NewerVersion),
        ({"name": "  "}, errors.NotSigned),
        ({"consents": False}, errors.NotSigned),
    ],
)
def test_what_does_not_agree_is_not_signed(acme: Any, change: dict[str, Any], error: type[Exception]) -> None:
    """PAY-03: the page's total is compared with ours, never taken."""
    estimate = sent()
    with pytest.raises(error):
        approve(estimate, approval(**change))
    assert again(estimate.pk).status == Status.SENT
    assert not EstimateDecision.objects.exists()


def test_the_last_day_counts_and_the_next_does_not(acme: Any) -> None:
    """EST-06."""
    estimate = sent()
    Estimate.objects.filter(pk=estimate.pk).update(expires_on=today() - timedelta(days=1))
    with pytest.raises(errors.HasExpired):
        approve(estimate)
    Estimate.objects.filter(pk=estimate.pk).update(expires_on=today())
    assert approve(estimate).status == Status.APPROVED


def test_a_draft_is_approved_by_nobody(acme: Any) -> None:
    """EST-04."""
    estimate = draft()
    with pytest.raises(errors.EstimateRefused):
        approve(estimate)


def test_a_version_that_was_tampered_with_is_not_approved(acme: Any) -> None:
    """The digest that was written when it was sent is proven anew."""
    estimate = sent()
    version = EstimateVersion.objects.get(estimate=estimate)
    version.body["options"][1]["lines"][0]["amount_cents"] = 1
    EstimateVersion.objects.filter(pk=version.pk).update(body=version.body)
    with pytest.raises(RuntimeError):
        approve(estimate, approval(total=68501))


def test_the_database_knows_one_approval_only(acme: Any) -> None:
    estimate = approve(sent())
    known = EstimateDecision.objects.get(estimate=estimate)
    with pytest.raises(IntegrityError), transaction.atomic():
        EstimateDecision.objects.create(
            estimate=estimate,
            version=1,
            kind="approve",
            option_key="a",
            signature=known.signature,
            by_name="Bob",
            at=timezone.now(),
        )


def test_asking_for_changes_stops_approval_until_the_next_version(acme: Any) -> None:
    """datamodel.md 4.9: the version stays visible, marked as being revised."""
    estimate = sent()
    with pytest.raises(errors.ReasonMissing):
        say(estimate, "request_changes", "  ")
    assert say(estimate, "request_changes", "No thermostat").status == Status.CHANGES_REQUESTED
    with pytest.raises(errors.BeingRevised):
        approve(estimate)
    revise(estimate)
    assert approve(estimate, approval(version=2)).status == Status.APPROVED


def test_a_new_version_was_seen_by_nobody(acme: Any) -> None:
    """datamodel.md 4.9: it is sent, not viewed; a signature never says that it was seen before it was there."""
    estimate = sent()
    assert mark_viewed(estimate=estimate, by=making.ALICE, now=timezone.now())
    assert not mark_viewed(estimate=estimate, by=making.ALICE, now=timezone.now())
    estimate = revise(estimate)
    assert state_of(estimate, today()) == "open"
    assert mark_viewed(estimate=estimate, by=making.ALICE, now=timezone.now())
    assert state_of(again(estimate.pk), today()) == "viewed"
    approve(estimate, approval(version=2))
    signature = SignatureRecord.objects.get()
    assert estimate.sent_at
    assert signature.first_viewed_at
    assert signature.first_viewed_at >= estimate.sent_at


def test_a_declined_estimate_can_be_offered_anew(acme: Any) -> None:
    estimate = sent()
    assert say(estimate, "decline").status == Status.DECLINED
    assert revise(estimate).status == Status.SENT


def test_an_approved_estimate_is_not_changed(acme: Any) -> None:
    estimate = approve(sent())
    with pytest.raises(errors.NotEditable):
        save_draft(
            estimate_id=estimate.pk, draft=making.Draft(making.offer(), None, None), by=making.OLIVE, now=timezone.now()
        )


def test_an_expired_estimate_is_asked_for_once_a_day(acme: Any) -> None:
    estimate = sent()
    with pytest.raises(errors.EstimateRefused):
        ask_again(estimate=estimate, who=WHO, today=today(), now=timezone.now())
    late = today() + timedelta(days=60)
    ask_again(estimate=estimate, who=WHO, today=late, now=timezone.now())
    with pytest.raises(errors.TooOften):
        ask_again(estimate=estimate, who=WHO, today=late, now=timezone.now())
    assert OutboxEvent.objects.filter(type="estimate.asked_again").count() == 1
