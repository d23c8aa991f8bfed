"""The list of what is shown and what is missing is the one the tests make."""

import subprocess
import sys

from tests.architecture.source import ROOT


def test_the_features_page_is_current() -> None:
    """Run `python docs/make_features.py` after naming a rule in a test."""
    done = subprocess.run([sys.executable, ROOT / "docs" / "make_features.py", "--check"], check=False)
    assert done.returncode == 0, "docs/features.md is behind the tests: run python docs/make_features.py"
