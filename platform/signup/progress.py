"""A run as its owner sees it: named steps, what they really took, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from provisioning.events import BUILDING
from provisioning.models import Run, RunEvent, Step
from signup.addresses import host_of

State = Literal["running", "failed", "ready", "canceled"]

TEXTS: dict[str, Any] = {
    "reserve": gettext_lazy("Address reserved"),
    "build_slot": gettext_lazy("A private home for your data"),
    "bind": gettext_lazy("Your name on the door"),
    "seed": gettext_lazy("Your company’s details"),
    "owner": gettext_lazy("The owner’s key"),
    "enable": gettext_lazy("Portal switched on"),
    "probe": gettext_lazy("Knocking on the door"),
    "activate": gettext_lazy("Light on"),
}


GIVEN_UP = (Run.State.COMPENSATING, Run.State.COMPENSATED, Run.State.CANCELED)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the timeline."""

    state: str
    text: str
    note: str = ""
    end: str = ""
    icon: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole page's facts."""

    state: State
    host: str
    email: str
    items: tuple[Item, ...]
    can_cancel: bool


def progress_of(run: Run) -> Progress:
    """Return what has happened in a run; `run.tenant` is loaded."""
    steps = list(Step.objects.filter(run=run).order_by("position"))
    state: State = "running"
    if run.state == Run.State.DONE:
        state = "ready"
    elif run.state in GIVEN_UP:
        state = "canceled"
    elif run.state not in Run.OPEN:
        state = "failed"
    # The company's own row has given the address back when it was canceled.
    host = host_of(run.tenant.signup.slug)
    building = RunEvent.objects.filter(run=run, kind=BUILDING).order_by("-seq").first()
    can_cancel = state in ("running", "failed") and run.tenant.first_activated_at is None
    return Progress(
        state, host, run.tenant.owner_email, tuple(_item(step, host, building) for step in steps), can_cancel
    )


def _item(step: Step, host: str, building: RunEvent | None) -> Item:
    text = str(TEXTS.get(step.name, step.name))
    if step.state == Step.State.DONE:
        return Item("done", text, _note(step, host), _took(step))
    if step.state == Step.State.FAILED:
        note = ngettext("Tried %(count)s time", "Tried %(count)s times", step.starts) % {"count": step.starts}
        return Item("bad", text, note)
    if step.state == Step.State.WAITING:
        return Item("now", text, _("It did not work at once. We are trying again by ourselves."))
    if step.state == Step.State.RUNNING:
        if building and step.name == building.step:
            seconds = max(1, round(building.args["seconds"]))
            note = _("None was waiting, so we are building yours now. The last ones took about %(seconds)s s.")
            return Item("now", text, note % {"seconds": seconds})
        return Item("now", text)
    return Item("", text)


def _note(step: Step, host: str) -> str:
    if step.name == "reserve":
        return host
    return _("Separate from everyone else’s") if step.name == "build_slot" else ""


def _took(step: Step) -> str:
    if not step.started_at or not step.finished_at:
        return ""
    seconds = (step.finished_at - step.started_at).total_seconds()
    return _("%(seconds)s s") % {"seconds": f"{max(seconds, 0.01):.2f}" if seconds < 1 else f"{seconds:.1f}"}
