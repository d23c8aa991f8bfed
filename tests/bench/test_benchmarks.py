"""Each benchmark runs at a tiny size and answers in the agreed shape; no time is ever asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.__main__ import kept_reports
from bench.plot import as_svg
from bench.report import AtLeast, AtMost, Row, TimesBetter, TimesLimit, TimesPeer, as_markdown, as_overview, summary

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
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


def test_provision_measures_us_beside_the_libraries_as_they_come_and_cloning() -> None:
    before = data_folder()
    report = report_of("provision", "--rounds", "1", "--tenants", "2", "--peers", "installed", "--careless")
    assert report["benchmark"] == "provision"
    compared = {row["name"] for row in report["rows"] if row["peers"]}
    ways = ("schema by replay", "schema by migrations", "schema handed out of the stock")
    assert compared == {f"{way}, {word}" for way in ways for word in ("median", "95th percentile")}
    peers = {peer for row in report["rows"] for peer in row["peers"]}
    assert {"django-tenants 4.0.1", "django-tenants 4.0.1, clone mode"} <= peers
    assert "was not measured" in report["about"] or "django-pgschemas 1.3.2" in peers
    assert data_folder() == before


def test_fleet_rolls_a_release_out_beside_the_libraries() -> None:
    before = data_folder()
    report = report_of(
        "fleet", "--rounds", "1", "--tenants", "8", "--sample", "1", "--peers", "installed", "--careless"
    )
    rows = {row["name"]: row for row in report["rows"]}
    assert {"django-tenants 4.0.1, one by one", "django-tenants 4.0.1, two at once"} <= set(
        rows["a release reaches the fleet"]["peers"]
    )
    assert all(row["ours"] > 0 for row in report["rows"])
    assert data_folder() == before


def test_routing_serves_the_same_pages_by_everybody() -> None:
    before = data_folder()
    report = report_of("routing", "--rounds", "1", "--tenants", "2", "--peers", "installed", "--careless")
    rows = {row["name"]: row for row in report["rows"]}
    assert {
        "page with 1 query",
        "page with 1 query, over 2 tenants",
        "page with 1 query, pool",
        "page with 7 queries",
    } <= set(rows)
    for name, row in rows.items():
        if name.startswith("page"):
            assert {"plain Django", "django-tenants 4.0.1"} <= set(row["peers"]), name
            assert all(value > 0 for value in row["peers"].values())
    assert rows["routing alone"]["ours"] > 0
    assert data_folder() == before


def test_scale_measures_at_both_ends_of_the_fleet() -> None:
    before = data_folder()
    report = report_of("scale", "--rounds", "1", "--tenants", "3", "--no-peers", "--careless")
    names = {row["name"] for row in report["rows"]}
    assert {
        "slot built beside 0",
        "slot built beside 3",
        "slot handed out beside 3",
        "relations of an empty tenant",
        "sign-in page of 3 tenants in turn",
    } <= names
    assert all(row["ours"] > 0 for row in report["rows"])
    assert "The peers were left out." in report["about"]
    assert data_folder() == before


def test_importing_measures_both_lists_and_claims_no_peer() -> None:
    before = data_folder()
    report = report_of("importing", "--rows", "40")
    names = {row["name"] for row in report["rows"]}
    assert {f"{kind}, {step}" for kind in ("customers", "invoices") for step in ("upload", "check", "import")} <= names
    assert all(row["peers"] == {} for row in report["rows"])
    assert data_folder() == before


def test_saga_follows_companies_from_their_confirmation_to_their_portal() -> None:
    before = data_folder()
    report = report_of("saga", "--rounds", "2")
    targets = {row["name"]: row["target"] for row in report["rows"] if row["target"]}
    assert targets["verified sign-up to a served portal, median"] == "≤ 500 ms"
    assert {"of it: to the first step, median", "of it: probe, median"} <= {row["name"] for row in report["rows"]}
    assert data_folder() == before


def test_payments_are_told_by_webhooks_alone_and_posted() -> None:
    before = data_folder()
    report = report_of("payments", "--rows", "6", "--careless")
    rows = {row["name"]: row for row in report["rows"]}
    assert rows["payments posted from a backlog of 6"]["target"] == "≥ 20 payments/s"
    assert {"webhooks taken in, four connections", "webhook to a paid invoice behind 6, 99th percentile"} <= set(rows)
    assert all(row["ours"] > 0 for row in report["rows"])
    assert data_folder() == before


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    done = run("provison")
    assert done.returncode == 2
    assert "no benchmark named provison" in done.stderr


@pytest.mark.parametrize(
    "path", sorted(set(RESULTS.glob("*.md")) - {RESULTS / "README.md"}), ids=lambda path: str(path.stem)
)
def test_the_kept_results_have_the_agreed_shape_and_their_table_and_plot_are_theirs(path: Path) -> None:
    report = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert_shape(report)
    assert path.read_text(encoding="utf-8") == as_markdown(report, f"{path.stem}.svg")
    assert path.with_suffix(".svg").read_text(encoding="utf-8") == as_svg(report)


def test_the_overview_shows_every_row_with_a_target_of_every_kept_report() -> None:
    reports = kept_reports()
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert page == as_overview(reports)
    rows = [(name, row["name"]) for name, report in reports.items() for row in report["rows"] if row["target"]]
    assert all(f"| [{name}]({name}.md) | {row} |" in page for name, row in rows)


def test_a_plot_is_well_formed_and_shows_every_figure_of_its_rows() -> None:
    row = Row("wait & see", "ms", 10.0, {"slow <1>": 40.0}, limit=8.0).as_json()
    drawn = ElementTree.fromstring(as_svg({"benchmark": "waiting", "rows": [row]}))
    texts = [element.text for element in drawn.iter() if element.text]
    assert {"10.00", "40.00", "8.00", "wait & see (ms)", "slow <1>"} <= set(texts)


def test_a_ratio_above_one_means_that_ours_is_better() -> None:
    assert Row("wait", "ms", 10.0, {"slow": 40.0, "slower": 80.0}).ratio == 4.0
    assert Row("speed", "rows/s", 10.0, {"fast": 40.0}).ratio == 0.25
    assert Row("alone", "ms", 10.0).ratio is None


@pytest.mark.parametrize(
    ("target", "met", "text"),
    [
        (4.0, True, "≥ 4 × the best peer"),
        (TimesBetter(8, "slower"), True, "≥ 8 × slower"),
        (TimesBetter(9, "slower"), False, "≥ 9 × slower"),
        (TimesBetter(2, "absent"), None, "≥ 2 × absent"),
        (AtMost(10), True, "≤ 10 ms"),
        (AtMost(9.9), False, "≤ 9.9 ms"),
        (AtLeast(11), False, "≥ 11 ms"),
        (TimesPeer(0.25, "slow"), True, "≤ 0.25 × slow"),
        (TimesPeer(0.2, "slow"), False, "≤ 0.2 × slow"),
        (TimesLimit(1.2), False, "≤ 1.2 × the limit"),
        (TimesLimit(1.25), True, "≤ 1.25 × the limit"),
        ((AtMost(10), TimesLimit(1.2)), False, "≤ 10 ms and ≤ 1.2 × the limit"),
        ((AtMost(10), TimesBetter(2, "absent")), None, "≤ 10 ms and ≥ 2 × absent"),
        (None, None, None),
    ],
)
def test_a_target_says_what_is_asked_and_whether_it_is_met(target: Any, met: bool | None, text: str | None) -> None:
    row = Row("wait", "ms", 10.0, {"slow": 40.0, "slower": 80.0}, limit=8.0, target=target).as_json()
    assert (row["met"], row["target"]) == (met, text)


def test_the_summary_is_median_and_95th_percentile_in_milliseconds() -> None:
    assert summary([0.002]) == (2.0, 2.0)
    middle, high = summary([number / 1000 for number in range(1, 102)])
    assert middle == pytest.approx(51.0)
    assert high == pytest.approx(96.0)
