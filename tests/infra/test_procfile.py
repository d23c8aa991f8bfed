"""The programs of the Procfile and the work that the product hands out fit together."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from shlex import split

import dramatiq
from django.utils.module_loading import autodiscover_modules
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parents[2]


def queues_of(line: str) -> list[str]:
    """Return the queues that a program serves."""
    words = split(line)
    if "--queues" not in words:
        return []
    return list(takewhile(lambda word: not word.startswith("-"), words[words.index("--queues") + 1 :]))


def test_every_queue_is_served_by_exactly_one_program() -> None:
    """R-TASK-1: a hint into a queue that nobody serves would wait for the sweep each time."""
    autodiscover_modules("tasks", "outbox")
    programs = parse_procfile((ROOT / "Procfile").read_text()).processes
    served = [queue for line in programs.values() for queue in queues_of(line)]
    actors = dramatiq.get_broker().actors.values()
    asked = {actor.queue_name for actor in actors if not actor.actor_name.startswith("tests.")}
    assert {"default", "webhooks", "control"} <= asked
    assert asked <= set(served)
    assert len(served) == len(set(served))
