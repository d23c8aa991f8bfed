"""Each benchmark runs at a tiny size and answers in the agreed shape; no time is ever asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.report import Row, as_markdown, summary

ROOT = Path(__file__).resolve().parents[2]
REPORT = {"benchmark", "about", "machine", "rows"}
ROW = ["name", "unit", "ours", "peers", "limit", "ratio", "target", "met"]
MACHINE = {"cores", "memory_gib", "system", "python", "postgresql", "durability", "cores_busy_with_other_work", "note"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Without the tests' own servers and warnings: a benchmark starts what it needs by itself.
    ours = ("PORCHLIGHT_", "DATABASE_", "DJANGO_", "MEDIA_", "PYTHONWARNINGS")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def report_of(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert_shape(report)
    return report


def assert_shape(report: dict[str, Any]) -> None:
    assert set(report) == REPORT
    assert set(report["machine"]) == MACHINE
    assert report["rows"]
    for row in report["rows"]:
        assert list(row) == ROW
        assert row["ours"] >= 0
        assert (row["ratio"] is None) == (not row["peers"])


def data_folder() -> set[Path]:
    return set((ROOT / ".data").rglob("*"))


def test_provision_measures_us_beside_the_library_as_it_comes() -> None:
    before = data_folder()
    report = report_of("provision", "--rounds", "1")
    assert report["benchmark"] == "provision"
    compared = {row["name"] for row in report["rows"] if row["peers"]}
    assert compared == {
        f"schema by {way}, {word}" for way in ("replay", "migrations") for word in ("median", "95th percentile")
    }
    assert {peer for row in report["rows"] for peer in row["peers"]} == {"django-tenants 4.0.1"}
    assert data_folder() == before


def test_importing_measures_both_lists_and_claims_no_peer() -> None:
    before = data_folder()
    report = report_of("importing", "--rows", "40")
    names = {row["name"] for row in report["rows"]}
    assert {f"{kind}, {step}" for kind in ("customers", "invoices") for step in ("upload", "check", "import")} <= names
    assert all(row["peers"] == {} for row in report["rows"])
    assert data_folder() == before


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    done = run("provison")
    assert done.returncode == 2
    assert "no benchmark named provison" in done.stderr


@pytest.mark.parametrize("name", ["provision", "importing"])
def test_the_kept_results_have_the_agreed_shape_and_their_table_is_theirs(name: str) -> None:
    results = ROOT / "bench" / "results"
    report = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    assert_shape(report)
    assert (results / f"{name}.md").read_text(encoding="utf-8") == as_markdown(report)


def test_a_ratio_above_one_means_that_ours_is_better() -> None:
    assert Row("wait", "ms", 10.0, {"slow": 40.0, "slower": 80.0}).ratio == 4.0
    assert Row("speed", "rows/s", 10.0, {"fast": 40.0}).ratio == 0.25
    assert Row("alone", "ms", 10.0).ratio is None


def test_a_target_is_met_only_beside_a_peer() -> None:
    assert Row("wait", "ms", 10.0, {"slow": 40.0}, target=4.0).met is True
    assert Row("wait", "ms", 10.0, {"slow": 39.0}, target=4.0).met is False
    assert Row("wait", "ms", 10.0, target=4.0).met is None


def test_the_summary_is_median_and_95th_percentile_in_milliseconds() -> None:
    assert summary([0.002]) == (2.0, 2.0)
    middle, high = summary([number / 1000 for number in range(1, 102)])
    assert middle == pytest.approx(51.0)
    assert high == pytest.approx(96.0)
