"""The table of payment guards fits the product, its tests and its page."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import ROOT
from tests.portal.payments.guards.page import HEAD, PAGE, begin_line, find_line, read_rows
from tests.portal.payments.guards.table import GUARDS, Guard

each = pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.row}: {guard.words}")


def test_every_payment_failure_has_a_guard() -> None:
    """CONTRIBUTING.md: first see a guard fail without what it guards."""
    assert {guard.row for guard in GUARDS} == set(read_rows())


@each
def test_a_guard_stands_where_the_table_says(guard: Guard) -> None:
    """Once, and what is put in its place is Python."""
    text = (ROOT / guard.path).read_text("utf-8")
    assert text.count(guard.old) == 1
    without = text.replace(guard.old, guard.new)
    assert ast.dump(ast.parse(without)) != ast.dump(ast.parse(text))


@each
def test_the_test_of_a_guard_exists_and_names_its_row(guard: Guard) -> None:
    """In its own docstring or in its module's."""
    path, name = guard.test.split("::")
    module = ast.parse((ROOT / path).read_text("utf-8"))
    (test,) = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name]
    told = f"{ast.get_docstring(module)} {ast.get_docstring(test)}"
    assert re.search(rf"\b{guard.row}\b", told)


@each
def test_a_guard_was_seen_to_be_needed(guard: Guard) -> None:
    """Run `python -m tests.portal.payments.guards` with the row after changing its guard, its test or its words."""
    assert find_line(guard)


def test_the_page_tells_of_no_other_guards() -> None:
    text = PAGE.read_text("utf-8")
    assert text.startswith(HEAD)
    lines = text.removeprefix(HEAD).splitlines()
    assert [line for line in lines if not line.startswith(tuple(map(begin_line, GUARDS)))] == []
    assert len(lines) == len(GUARDS)
