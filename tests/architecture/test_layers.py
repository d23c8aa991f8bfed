"""Imports point down, files stay short, modules say what they are for (architecture.md; CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, Source, dotted, sources

LONGEST = 350


def _contract(name: str) -> list[set[str]]:
    """Return the layers of a contract, highest first; `a | b` are siblings that do not know each other."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    lines = config[f"importlinter:contract:{name}"]["layers"].strip().splitlines()
    return [{layer.strip() for layer in line.split("|")} for line in lines]


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    """Name everything a file imports when it runs, inside functions too."""
    for node in _running(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = source.module if source.path.name == "__init__.py" else source.module.rpartition(".")[0]
                above = ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level])
                module = f"{above}.{module}".rstrip(".")
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree without what only the type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING"):
            continue
        yield from _running(child)


def _faults(layers: list[set[str]], prefix: str) -> list[str]:
    """Return the imports that do not point down; names below `prefix` are the layers' members."""
    height = {name: len(layers) - place for place, names in enumerate(layers) for name in names}

    def member(module: str) -> str | None:
        if not module.startswith(prefix):
            return None
        name = module.removeprefix(prefix).partition(".")[0]
        return name if name in height else None

    found = set()
    for source in sources():
        own = member(source.module)
        for line, module in _imports(source) if own else ():
            other = member(module)
            if other and other != own and height[other] >= height[own]:
                found.add(f"{source.name}:{line} {own} must not know {other}")
    return sorted(found)


def test_imports_between_packages_point_down() -> None:
    """architecture.md: platform, provisioning, portal, tenants, infra."""
    assert _faults(_contract("layers"), "") == []


def test_features_of_the_portal_know_only_what_is_below_them() -> None:
    """architecture.md: the order of the portal's features."""
    assert _faults(_contract("portal"), "portal.") == []


def test_every_package_has_a_layer() -> None:
    """A package that nobody placed is free of every rule."""
    known = set().union(*_contract("layers"))
    assert {source.module.partition(".")[0] for source in sources()} == known
    features = set().union(*_contract("portal"))
    folders = {path.parent.name for path in (ROOT / "portal").glob("*/__init__.py")}
    assert folders == features


def test_platform_is_a_source_root() -> None:
    """Decided 2: its packages are imported without it."""
    assert list((ROOT / "platform").glob("*.py")) == []
    for source in sources():
        for line, module in _imports(source):
            shadowed = module == "platform" or module.startswith("platform.")
            assert not shadowed, f"{source.name}:{line} platform is the standard library's name"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_a_file_is_short_and_says_what_it_is_for(source: Source) -> None:
    """CONTRIBUTING.md: Files."""
    assert len(source.text.splitlines()) <= LONGEST
    if source.text.strip():
        assert ast.get_docstring(source.tree), "a module opens with what it is for"


NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HACK)\b")
VAGUE = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")


def test_nothing_is_left_for_later_and_nothing_is_silenced_vaguely() -> None:
    """CONTRIBUTING.md: no notes to self; a silenced check names itself."""
    found = []
    for source in sources():
        for number, line in enumerate(source.text.splitlines(), 1):
            if NOTES.search(line) or VAGUE.search(line):
                found.append(f"{source.name}:{number} {line.strip()}")
    assert found == []


def test_nothing_is_swallowed() -> None:
    """CONTRIBUTING.md: an error that is caught widely is at least written down."""
    wide = {"Exception", "BaseException", ""}
    found = []
    for source in sources():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {dotted(kind) if kind else "" for kind in caught}
            if names & wide and all(isinstance(part, ast.Pass | ast.Continue) for part in node.body):
                found.append(f"{source.name}:{node.lineno}")
    assert found == []


def test_only_one_module_reads_the_environment() -> None:
    """CONTRIBUTING.md: infra/env.py alone; what starts processes hands an environment on."""
    entries = ("config/wsgi.py", "config/worker.py", "config/clock.py", "console/cli.py")
    may = {"infra/env.py", *(f"platform/{entry}" for entry in entries)}
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        if source.name not in may and not source.name.startswith("infra/embedded/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv"}
    ]
    assert found == []


def test_the_clock_is_read_at_the_edge() -> None:
    """CONTRIBUTING.md: a service is told what time it is, so that a test can tell it."""
    readers = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        if "/services" in source.name or source.name.endswith(("_services.py", "selectors.py", "policy.py"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in readers
    ]
    assert found == []


def test_no_test_is_skipped() -> None:
    """CONTRIBUTING.md: nothing is skipped."""
    word = re.compile(r"pytest\.(skip|importorskip|xfail)\b|mark\.(skip|skipif|xfail)\b|\bunittest\.mock\b")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path.name != "test_layers.py" and word.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/glossary.md",
        "docs/features.md",
        "docs/adr/0001-scopes-instead-of-current-tenant.md",
    ],
)
def test_what_a_newcomer_needs_is_written_down(name: str) -> None:
    """architecture.md: the documents that the repository promises."""
    assert len((ROOT / name).read_text(encoding="utf-8")) > 200


def test_links_between_documents_lead_somewhere() -> None:
    """A document that moved takes its links along."""
    broken = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("infra/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert broken == []
