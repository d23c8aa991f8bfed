"""What a customer answers: approve, decline, ask for changes; one answer counts (AUZ-14, EST-02, EST-06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from portal.estimates import errors
from portal.estimates.models import Estimate, EstimateDecision, EstimateVersion, SignatureRecord
from portal.estimates.offer import Offer, Option, hash_signed, hash_version, read_offer
from portal.estimates.policy import is_open
from tenants.audit import Actor, count_events, record, wait_for_turn
from tenants.outbox import emit

Status = Estimate.Status
Kind = EstimateDecision.Kind
DECIDED = "estimate.decided"
ASKED_AGAIN = "estimate.asked_again"
CONSENT_VERSION = "2026-11"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Decider:
    """Who answers: a person who is signed in, or whoever holds a link; with what their browser says."""

    by: Actor
    portal_user_id: UUID | None = None
    share_link_id: UUID | None = None
    email: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """What the approver's page sent; total and version are only compared with what is true."""

    version: int
    option: str
    lines: tuple[str, ...]
    seen_total_cents: int
    name: str
    consents: bool
    consent_text: str


@transaction.atomic
def approve_estimate(*, estimate_id: UUID, approval: Approval, who: Decider, today: date, now: datetime) -> Estimate:
    """Approve one option of the current version and sign it; raises EstimateRefused.

    The change of state compares estimate, version and status in one statement: of two approvers one wins, and a page
    of an older version approves nothing.
    """
    if not approval.name.strip() or not approval.consents:
        raise errors.NotSigned
    estimate = Estimate.objects.get(pk=estimate_id)
    version = EstimateVersion.objects.filter(estimate=estimate, n=approval.version, sent_at__isnull=False).first()
    if version is None:
        raise errors.NewerVersion
    offer, option = _chosen(estimate, version, approval.option)
    lines = offer.chosen_lines(option, approval.lines)
    sums = offer.sums(option, lines)
    changed = Estimate.objects.filter(is_open(today), pk=estimate_id, current=approval.version).update(
        status=Status.APPROVED,
        option_key=option.key,
        line_keys=list(lines),
        total_cents=sums.total_cents,
        deposit_cents=sums.deposit_cents,
        decided_at=now,
        updated_at=now,
    )
    if changed != 1:
        raise _why_not(estimate_id, approval.version, today)
    if sums.total_cents != approval.seen_total_cents:
        raise errors.TotalChanged(sums.total_cents)
    signature = SignatureRecord.objects.create(
        subject_kind="estimate_version",
        subject_id=version.pk,
        document_sha256=hash_signed(version.content_hash, option.key, lines, sums, approval.consent_text),
        signer_name=approval.name.strip()[:120],
        signer_email=who.email,
        consent_version=CONSENT_VERSION,
        consent_text=approval.consent_text,
        first_viewed_at=estimate.first_viewed_at,
        signed_at=now,
        ip=who.by.ip,
        user_agent=who.user_agent,
    )
    EstimateDecision.objects.create(
        **_decision(estimate_id, approval.version, Kind.APPROVE, approval.name, "", who, now),
        option_key=option.key,
        line_keys=list(lines),
        total_cents=sums.total_cents,
        deposit_cents=sums.deposit_cents,
        signature=signature,
    )
    record(
        "estimate.approved",
        by=who.by,
        now=now,
        target=estimate,
        after={"version": approval.version, "option": option.name, "total_cents": sums.total_cents},
    )
    _tell(estimate_id, Kind.APPROVE, approval.version, now)
    estimate.refresh_from_db()
    return estimate


def _chosen(estimate: Estimate, version: EstimateVersion, key: str) -> tuple[Offer, Option]:
    """Return offer and option; a version whose text is not what was sent is never approved."""
    if hash_version(estimate.pk, version.n, estimate.currency, version.body) != version.content_hash:
        raise RuntimeError(f"Version {version.n} of estimate {estimate.pk} is not what was sent.")
    offer = read_offer(version.body)
    option = offer.option(key)
    if option is None:
        raise errors.ChoiceUnknown(key)
    return offer, option


@transaction.atomic
def answer_estimate(
    *, estimate_id: UUID, kind: str, version: int, reason: str, name: str, who: Decider, today: date, now: datetime
) -> Estimate:
    """Decline an estimate, or ask for changes; raises EstimateRefused. A wish for changes needs words."""
    declines = kind == Kind.DECLINE
    if not declines and not reason.strip():
        raise errors.ReasonMissing
    changed = Estimate.objects.filter(is_open(today), pk=estimate_id, current=version).update(
        status=Status.DECLINED if declines else Status.CHANGES_REQUESTED, decided_at=now, updated_at=now
    )
    if changed != 1:
        raise _why_not(estimate_id, version, today)
    EstimateDecision.objects.create(
        **_decision(estimate_id, version, Kind(kind), name, reason.replace("\x00", "").strip()[:2000], who, now)
    )
    estimate = Estimate.objects.get(pk=estimate_id)
    record("estimate.declined" if declines else "estimate.changes_requested", by=who.by, now=now, target=estimate)
    _tell(estimate_id, Kind(kind), version, now)
    return estimate


@transaction.atomic
def ask_again(*, estimate: Estimate, who: Decider, today: date, now: datetime) -> None:
    """Tell the office that the customer wants an expired estimate anew; raises EstimateRefused, TooOften."""
    if estimate.status != Status.SENT or not estimate.expires_on or estimate.expires_on >= today:
        raise errors.EstimateRefused(estimate.status)
    wait_for_turn(f"estimate-again:{estimate.pk}")
    if count_events(ASKED_AGAIN, since=now - DAY, object_id=estimate.pk):
        raise errors.TooOften
    record(ASKED_AGAIN, by=who.by, now=now, target=estimate)
    payload = {"estimate": str(estimate.pk)}
    emit(ASKED_AGAIN, key=f"estimate-again:{estimate.pk}:{now.isoformat()}", payload=payload, now=now)


def _decision(
    estimate_id: UUID, version: int, kind: str, name: str, reason: str, who: Decider, now: datetime
) -> dict[str, object]:
    return {
        "estimate_id": estimate_id,
        "version": version,
        "kind": kind,
        "reason": reason,
        "portal_user_id": who.portal_user_id,
        "share_link_id": who.share_link_id,
        "by_name": (name.strip() or who.by.label)[:120],
        "at": now,
    }


def _why_not(estimate_id: UUID, version: int, today: date) -> errors.EstimateRefused:
    """Return why the estimate did not take an answer; the transaction is rolled back with it."""
    now_is = Estimate.objects.get(pk=estimate_id)
    if now_is.status == Status.SENT and now_is.current == version:
        return errors.HasExpired(now_is.expires_on)
    if now_is.status == Status.CHANGES_REQUESTED:
        return errors.BeingRevised()
    return errors.NewerVersion() if now_is.status == Status.SENT else errors.AlreadyDecided(now_is.status)


def _tell(estimate_id: UUID, kind: str, version: int, now: datetime) -> None:
    payload = {"estimate": str(estimate_id), "kind": str(kind), "version": version}
    emit(DECIDED, key=f"estimate:{estimate_id}:{version}:{kind}", payload=payload, now=now)
