"""Every command of the terminal keeps the same promises: --json, --dry-run where it writes, help (platform.md 3.11)."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest

from console import cli

# What only looks; every other word changes something and so must be able to say what it would change.
LOOKS = {"doctor", "explain", "history", "list", "plan", "show", "status", "verify", "wait"}
# The commands that the engine promises; others may join them.
PROMISED = {
    "tenants list", "tenants show", "tenants create", "tenants wait", "tenants hold", "tenants release",
    "pool status", "pool build",
    "migrations plan", "migrations run", "migrations status", "migrations pause", "migrations retry",
    "migrations hold",
    "settings show", "settings set", "settings explain", "flags show", "flags set", "flags explain",
    "runs list", "runs show", "runs retry",
    "ledger verify",
    "doctor",
}  # fmt: skip


def _commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield " ".join(words), parser
    for action in inner:
        for word, child in action.choices.items():
            yield from _commands(child, (*words, word))


COMMANDS = dict(_commands(cli.build_parser()))


def test_the_promised_commands_are_there() -> None:
    assert set(COMMANDS) >= PROMISED


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_a_command_speaks_json_and_can_be_tried_without_effect(words: str) -> None:
    """Common options of platform.md 3.11."""
    parser = COMMANDS[words]
    assert isinstance(parser, argparse.ArgumentParser)
    options = {option for action in parser._actions for option in action.option_strings}
    assert "--json" in options
    writes = words.split()[-1] not in LOOKS
    assert ("--dry-run" in options) == writes
    assert parser.get_default("writes") is writes


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_a_command_explains_itself(words: str) -> None:
    """What it does, every argument and the exit codes."""
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as stopped:
        cli.main([*words.split(), "--help"])
    assert stopped.value.code == cli.OK
    assert f"usage: porchlight {words}" in said.getvalue()
    assert "exit codes" in said.getvalue()
    parser = COMMANDS[words]
    assert isinstance(parser, argparse.ArgumentParser)
    assert parser.description
