"""The benchmark measures what it says: its stub, its floor and its verdicts, with a handful of calls."""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import requests
from sqlalchemy import case, func, select

from bench import __main__ as bench
from bench import comparison
from bench.comparison import Verdict, compare
from bench.declaration_history import DeclarationHistory
from bench.deployment import Deployment
from bench.lookups import SUBJECTS
from bench.orders import filing, fresh_numbers, mixed_order, unsplit_order
from bench.pipeline import floor_rate
from bench.sample_client import sample_rate
from bench.stock_schemas import StockDeclaration
from bench.stub import running_stub
from customs.db.pagination import Page
from customs.declarations.intake.rules import preflight_findings
from customs.declarations.models import Declaration, Push
from customs.declarations.schemas import DeclarationIn
from customs.gateway import Channel
from customs.jobs.dispatcher import Dispatcher
from customs.stats.tallies import ALL_TIME, Tally
from tests.make import NOON

STARTER = """
import time
from bench.stub import running_stub
with running_stub(0) as url:
    print(url, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def deployment(tmp_path: Path, sqlite_url: str, stub: str):
    made = Deployment(tmp_path, sqlite_url, stub, threads=2)
    yield made
    made.close()


@pytest.fixture
def stub():
    with running_stub(0) as url:
        yield url


def test_the_product_drains_what_was_stored_through_the_stub(deployment: Deployment):
    deployment.store([unsplit_order(number) for number in fresh_numbers(6)])
    engine = Dispatcher(deployment.services.push_handler, deployment.threads)

    recorded = engine.drain(20.0)
    engine.close()

    assert recorded == 6
    assert (deployment.unfinished(), deployment.is_drained()) == (0, True)


def test_the_floor_and_the_sample_make_real_calls(deployment: Deployment, stub: str):
    orders = [unsplit_order(number) for number in fresh_numbers(6)]

    floor = floor_rate(deployment, [(Channel(order["channel"]), filing(order)) for order in orders])
    sample = sample_rate(stub, deployment.private_key_file.read_bytes(), [filing(order) for order in orders[:2]])

    assert floor > 0
    assert sample > 0


def test_the_stub_ends_with_whoever_started_it_however_they_die():
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True) as starter:
        url = starter.stdout.readline().strip()
        requests.get(url, timeout=5)

        starter.kill()

    for _ in range(100):
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            return
        time.sleep(0.05)
    raise AssertionError("the stub outlived its starter")


@pytest.mark.parametrize("make_order", [unsplit_order, mixed_order])
def test_the_orders_of_the_benchmark_pass_our_rules_and_the_references(make_order):
    orders = [make_order(number) for number in range(40)]

    loaded = [DeclarationIn().load(order) for order in orders]
    StockDeclaration(many=True).load(orders)

    assert [found for order in loaded for found in preflight_findings(order, NOON.date())] == []
    assert len({order["payment_no"] for order in orders}) == 40


@pytest.mark.parametrize("subject", [subject.name for subject in SUBJECTS])
def test_every_look_finds_what_it_looks_for(deployment: Deployment, subject: str):
    (asked,) = (one for one in SUBJECTS if one.name == subject)
    with deployment.services.engine.begin() as db:
        asked.fill(db, 2_000)

    with deployment.services.reading() as db:
        found = {what: lookup(db, 1_500) for what, lookup in asked.lookups(2_000).items()}

    empty = {what for what, page in found.items() if not page or (isinstance(page, Page) and not page.rows)}
    assert empty <= {"office without rows", "tab needs review, small merchant"}


def test_the_declarations_of_the_benchmark_are_tallied_as_they_are(deployment: Deployment):
    with deployment.services.engine.begin() as db:
        DeclarationHistory(1_000, 20, date(2026, 11, 23)).fill(db)

    with deployment.services.reading() as db:
        state = case((Declaration.cancelled, "cancelled"), else_=Declaration.state)
        counted = select(Declaration.merchant_no, Declaration.office, state, func.count())
        tallied = select(Tally.merchant_no, Tally.subject, Tally.word, func.sum(Tally.count))
        tallied = tallied.where(Tally.kind == "state", Tally.word != "needs_review")
        by_owner = (Tally.merchant_no, Tally.subject, Tally.word)
        wanted = sorted(db.execute(counted.group_by(Declaration.merchant_no, Declaration.office, state)).all())
        for days in (Tally.day == ALL_TIME, Tally.day != ALL_TIME):
            assert sorted(db.execute(tallied.where(days).group_by(*by_owner)).all()) == wanted
        cases = db.scalar(select(func.count()).where(Push.cause_id.is_not(None)))
        assert db.scalar(select(func.sum(Tally.count)).where(Tally.word == "open")) == cases == 120


def test_two_sides_are_measured_in_turn_and_the_median_of_their_pairs_counts():
    order: list[str] = []
    subject, reference = iter([2.0, 2.0, 30.0, 4.0]), iter([1.0, 2.0, 3.0, 1.0])

    verdict = compare(
        "a goal",
        2.0,
        lambda: order.append("subject") or next(subject),
        lambda: order.append("reference") or next(reference),
        at_least=True,
        unit="x",
    )

    assert verdict.measured == 3.0
    assert verdict.pairs == [(2.0, 1.0), (2.0, 2.0), (30.0, 3.0), (4.0, 1.0)]
    assert order == ["reference", "subject", "subject", "reference"] * (comparison.ROUNDS // 2)


@pytest.mark.parametrize(
    ("at_least", "measured", "holds"),
    [(True, 1.0, True), (True, 0.99, False), (False, 1.0, True), (False, 1.01, False)],
)
def test_a_verdict_holds_at_its_limit_and_says_so(at_least: bool, measured: float, holds: bool):
    verdict = Verdict("a goal", 1.0, at_least, measured)

    assert verdict.holds is holds
    assert verdict.shown[-1] == ("holds" if holds else "FALLS SHORT")


@pytest.mark.parametrize(("measured", "code"), [(2.0, 0), (0.5, 1)], ids=["holds", "falls short"])
def test_the_benchmark_ends_with_1_when_one_goal_falls_short(measured: float, code: int, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results")
    monkeypatch.setitem(bench.GOALS, "p0", lambda _home, _database: [Verdict("a goal", 1.0, True, measured)])

    ended = bench.main(["p0"])

    (kept,) = (tmp_path / "results").glob("*.json")
    assert ended == code
    assert {goal["holds"] for goal in json.loads(kept.read_text())["goals"]} == {measured >= 1}
