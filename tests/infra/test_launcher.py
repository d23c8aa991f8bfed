"""The launcher's own decisions; that it prepares a bare machine is shown by CI running it on one."""

import importlib.machinery
import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from infra.env_casts import ROOT


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, for a checkout that is empty but for its locks."""
    loader = importlib.machinery.SourceFileLoader("launcher", str(ROOT / "porchlight"))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    (tmp_path / ".venv").mkdir()
    return module


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], True),
        (["-q", "-x"], True),
        (["tests"], True),
        (["tests/browser"], True),
        (["tests/infra"], False),
        (["tests/infra/test_env.py::test_three_values_are_enough"], False),
        (["-m", "not browser"], False),
    ],
)
def test_a_browser_is_asked_for_only_when_browser_tests_can_run(
    launcher: ModuleType, arguments: list[str], *, wanted: bool
) -> None:
    (ROOT / "tests" / "browser").mkdir(exist_ok=True)
    assert launcher.wants_browser(arguments) is wanted


def test_a_larger_lock_that_is_installed_already_will_do(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """`up` after `test` must not take the test libraries away, nor touch the network."""
    monkeypatch.setattr(launcher, "uv_binary", lambda: pytest.fail("the installer was called"))
    stamp = {"locks": launcher.digest_of_locks(), "place": launcher.ROOT, "python": launcher.PYTHON, "lock": "test"}
    (Path(launcher.VENV) / "porchlight.json").write_text(json.dumps(stamp))
    launcher.prepare("run")
    launcher.prepare("test")


@pytest.mark.parametrize("changed", [{"lock": "run"}, {"locks": "other"}, {"place": "/elsewhere"}, {"python": "3.9"}])
def test_whatever_changed_is_installed_again(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    class Called(Exception):
        pass

    def called() -> str:
        raise Called

    monkeypatch.setattr(launcher, "uv_binary", called)
    stamp = {"locks": launcher.digest_of_locks(), "place": launcher.ROOT, "python": launcher.PYTHON, "lock": "test"}
    (Path(launcher.VENV) / "porchlight.json").write_text(json.dumps(stamp | changed))
    with pytest.raises(Called):
        launcher.prepare("test")


def test_the_environment_wins_over_dotenv(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "ROOT", str(tmp_path))
    monkeypatch.setattr(os, "environ", {"LOG_LEVEL": "ERROR"})
    (tmp_path / ".env").write_text("# comment\n#PORT=1\nLOG_LEVEL=DEBUG\nEMAIL_FROM='Us <us@example.com>'\n")
    launcher.read_dotenv()
    assert os.environ == {"LOG_LEVEL": "ERROR", "EMAIL_FROM": "Us <us@example.com>"}


def test_a_broken_dotenv_line_is_named(launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "ROOT", str(tmp_path))
    (tmp_path / ".env").write_text("DEMO=true\nnonsense\n")
    with pytest.raises(launcher.Problem, match=r"\.env, line 2"):
        launcher.read_dotenv()


def test_a_command_without_a_database_says_how_to_get_one(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "ROOT", str(tmp_path))
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(launcher.Problem, match=r"\./porchlight up"):
        launcher.read_env_of_up()
