"""What is shipped for Prometheus and Grafana: it works on the metrics there are, and each alert has its runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from customs.container import Services
from tests.application import application
from tests.docs.documents import ROOT
from tests.programs import program


def yaml(file: Path) -> Any:
    return YAML(typ="safe").load(file)


PROMETHEUS = ROOT / "ops" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
ALERTS: list[dict[str, Any]] = [rule for group in yaml(PROMETHEUS / "alerts.yml")["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((ROOT / "ops" / "grafana" / "customs-desk.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
HEADINGS = ["## Look", "## Act", "## Afterwards"]


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\bcustoms_\w+", expression))


@pytest.fixture
def measured(services: Services) -> set[str]:
    """Return the names of all samples."""
    client = application(services).test_client()
    client.get("/healthz", buffered=True)
    scraped = client.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)", scraped, re.MULTILINE))
    histograms = {name for name, kind in kinds.items() if kind == "histogram"}
    return set(kinds) | {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}


@pytest.mark.parametrize(
    ("arguments"),
    [("check", "config", "prometheus.yml"), ("check", "rules", "--lint-fatal", "alerts.yml")],
)
def test_promtool_finds_nothing(arguments: tuple[str, ...]) -> None:
    promtool = program("promtool", "prometheus")

    ran = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_fires_when_it_should_and_none_on_a_desk_that_is_well() -> None:
    promtool = program("promtool", "prometheus")

    ran = subprocess.run(
        [promtool, "test", "rules", "alerts_test.yml"], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_unit_tests_let_every_alert_fire() -> None:
    tests = yaml(PROMETHEUS / "alerts_test.yml")["tests"]
    (fired,) = [test["promql_expr_test"][0]["exp_samples"] for test in tests if test["name"] == "every alert fires"]

    assert [re.findall(r'"(\w+)"', one["labels"]) for one in fired] == [[name] for name in sorted(named(ALERTS))]


def named(alerts: list[dict[str, Any]]) -> list[str]:
    return [alert["alert"] for alert in alerts]


def test_alerts_and_dashboard_use_metrics_that_are_measured(measured: set[str]) -> None:
    used = {name for alert in ALERTS for name in metrics_in(alert["expr"])}
    shown = {name for panel in PANELS for target in panel["targets"] for name in metrics_in(target["expr"])}

    assert used - measured == set()
    assert shown - measured == set()


def test_what_is_measured_is_shown(measured: set[str]) -> None:
    shown = {name for panel in PANELS for target in panel["targets"] for name in metrics_in(target["expr"])}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in measured}

    assert families - {re.sub(r"_bucket$", "", name) for name in shown} == set()


def test_panels_neither_overlap_nor_leave_the_width() -> None:
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize("alert", ALERTS, ids=named(ALERTS))
def test_every_alert_names_its_runbook_and_how_bad_it_is(alert: dict[str, Any]) -> None:
    assert alert["annotations"]["runbook"] == f"docs/runbooks/{alert['alert']}.md"
    assert (ROOT / alert["annotations"]["runbook"]).is_file()
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["labels"]["severity"] in ("page", "ticket")


@pytest.mark.parametrize(
    "page", sorted(set(RUNBOOKS.glob("*.md")) - {RUNBOOKS / "README.md"}), ids=lambda page: page.stem
)
def test_every_runbook_says_where_to_look_what_to_do_and_when_it_is_over(page: Path) -> None:
    assert re.findall(r"^## .*$", page.read_text(), re.MULTILINE) == HEADINGS


def test_the_index_of_runbooks_names_each_page_once() -> None:
    pages = sorted(page.name for page in RUNBOOKS.glob("*.md") if page.name != "README.md")

    assert sorted(re.findall(r"\((\w+\.md)\)", (RUNBOOKS / "README.md").read_text())) == pages
