"""What must hold for the checkout itself: pinned libraries, the bare `platform/`, one name per variable."""

import re
import tomllib

import pytest

from infra.env_casts import ROOT

NAME = re.compile(r"^([A-Za-z0-9._-]+)")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(lock: str) -> dict[str, str]:
    """Return the exact version of every package in a lock."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / f"requirements/{lock}.txt").read_text(), re.M)
    return {_normal(name): version for name, version in found}


def _asked_for(group: str | None) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    return [_normal(NAME.match(line).group(1)) for line in wanted]  # type: ignore[union-attr]


@pytest.mark.parametrize(("group", "lock"), [(None, "run"), ("test", "test"), ("lint", "lint")])
def test_every_dependency_is_pinned(group: str | None, lock: str) -> None:
    """Ruling 8 of dependencies.md: exact versions, installed by hash."""
    pinned = _pinned(lock)
    assert [name for name in _asked_for(group) if name not in pinned] == []


@pytest.mark.parametrize("lock", ["run", "test", "lint"])
def test_every_pinned_package_has_a_hash(lock: str) -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", (ROOT / f"requirements/{lock}.txt").read_text(), flags=re.M)
    packages = [block for block in blocks if "==" in block.partition("\n")[0]]
    assert packages
    assert [block.partition("\n")[0] for block in packages if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(("smaller", "larger"), [("run", "test"), ("test", "lint")])
def test_each_lock_holds_the_smaller_one(smaller: str, larger: str) -> None:
    """The launcher keeps a larger lock installed instead of taking packages away."""
    assert _pinned(smaller).items() <= _pinned(larger).items()


def test_locks_name_no_download_address() -> None:
    assert [path.name for path in (ROOT / "requirements").iterdir() if "://" in path.read_text()] == []


def test_no_python_lies_directly_in_platform() -> None:
    """An `__init__.py` there would shadow the standard library's `platform` (architecture.md 1)."""
    assert sorted(path.name for path in (ROOT / "platform").glob("*.py")) == []


def test_ci_runs_what_readme_names() -> None:
    commands = [
        line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith(("./", "python", "pip", "uv"))
    ]
    readme = (ROOT / "README.md").read_text()
    assert commands
    assert [command for command in commands if command not in readme] == []
