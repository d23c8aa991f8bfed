"""Runs `porchlight doctor` in this process and looks at what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from console import cli
from infra import stripe_client

Say = Callable[..., dict[str, str]]


def ask(capsys: pytest.CaptureFixture[str], *checks: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the named checks; returns the exit code and each check's row by its name."""
    capsys.readouterr()
    code = cli.main(["doctor", *checks, "--json"])
    return code, {row["check"]: row for row in json.loads(capsys.readouterr().out)}


def finding(capsys: pytest.CaptureFixture[str], check: str, *options: str) -> tuple[str, str]:
    """Run one check; returns its state and what it says, after seeing that the exit code fits."""
    code, rows = ask(capsys, check, *options)
    row = rows[check]
    assert code == (cli.PARTIAL if row["state"] == "failed" else cli.OK)
    return row["state"], row["says"]


def change_env(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Give the environment other values for one test."""
    changed = replace(settings.ENV, **values)
    monkeypatch.setattr(settings, "ENV", changed)
    monkeypatch.setattr(stripe_client, "load_env", lambda: changed)
