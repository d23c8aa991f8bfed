"""The product's own files, parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("infra", "tenants", "portal", "provisioning", "platform")


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """The path as the repository spells it."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """The name under which it is imported; platform/ is a root and no package."""
        parts = list(self.path.relative_to(ROOT).with_suffix("").parts)
        if parts[0] == "platform":
            del parts[0]
        if parts[-1] == "__init__":
            del parts[-1]
        return ".".join(parts)

    @cached_property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """What it means."""
        return ast.parse(self.text, self.name)

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The ids of constants that are documentation."""
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr):
                found.add(id(node.body[0].value))
        return frozenset(found)


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the product, migrations and tests left out."""
    paths = (path for top in TOPS for path in (ROOT / top).rglob("*.py"))
    return tuple(Source(path) for path in sorted(paths) if "migrations" not in path.parts)


@cache
def templates() -> tuple[Path, ...]:
    """Every template."""
    found = [*ROOT.glob("portal/*/templates/**/*"), *ROOT.glob("platform/*/templates/**/*")]
    return tuple(sorted(path for path in found if path.suffix in {".html", ".txt"}))


def dotted(node: ast.AST) -> str:
    """Return a name or attribute chain as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f".{node.attr}"
    return ""
