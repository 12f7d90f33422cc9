"""The doctor looks at the audit trail: in order with how much there is, or wrong with the entry and what to do."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from customs.cli import admin, commands
from customs.ops import doctor, health_checks
from customs.ops.health_checks import CheckResult
from tests import make
from tests.audit.trails import Trail
from tests.product import Desk

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What the trail finds is tested on both."""
    return sqlite_url


def look(trail: Trail) -> CheckResult:
    (found,) = [one for one in doctor.run_checks(trail.services) if one.part == "audit trail"]
    return found


@pytest.fixture
def trail(trail: Trail, desk: Desk) -> Trail:
    """Five entries, the first of them a batch's."""
    desk.take_in(make.declaration_row())
    trail.fill(4)
    return trail


def test_a_trail_in_order_says_how_much_there_is(trail: Trail):
    assert (look(trail).verdict, look(trail).finding) == ("ok", "5 entries, each as it was written")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_entries SET reason = '' WHERE number = 3", "entry 3 was altered; the 2 before it fit"),
        ("DELETE FROM audit_entries WHERE number = 2", "entry 2 is missing; the 1 before it fit"),
        ("UPDATE audit_entries SET number = 0 WHERE number = 5", "entry 0 was added by somebody else"),
        ("DELETE FROM audit_entries WHERE number > 3", "entry 4 and what came after it are gone"),
        ("UPDATE audit_end SET seal = ''", "the seal of its end does not fit"),
    ],
)
def test_what_was_done_to_it_is_shown_with_what_to_do(trail: Trail, statement: str, found: str):
    trail.tamper(statement)

    looked = look(trail)

    assert looked.verdict == "wrong"
    assert looked.finding.startswith(found)
    assert "export or a backup" in looked.remedy
    assert ("customs keys rotate --seal-audit-trail" in looked.remedy) == ("seal" in found)


def test_a_trail_that_was_removed_completely_shows_by_the_batches(trail: Trail):
    trail.tamper("DELETE FROM audit_entries", "DELETE FROM audit_end")
    trail.fill(2)

    looked = look(trail)

    assert trail.verify().ok
    assert (looked.verdict, "knows nothing of bat_" in looked.finding) == ("wrong", True)


def test_a_trail_that_was_put_back_to_an_earlier_day_shows_by_the_batches(trail: Trail, desk: Desk):
    with trail.services.engine.connect() as db:
        number, digest, seal = db.exec_driver_sql("SELECT number, hash, seal FROM audit_end").one()
    desk.take_in(make.declaration_row())
    trail.tamper(
        "DELETE FROM audit_entries WHERE number > :number",
        "UPDATE audit_end SET number = :number, hash = :digest, seal = :seal",
        number=number,
        digest=digest,
        seal=seal,
    )

    looked = look(trail)

    assert trail.verify().ok
    assert (looked.verdict, "knows nothing of bat_" in looked.finding) == ("wrong", True)


def test_every_part_that_is_checked_has_its_runbook():
    source = "".join(file.read_text() for file in (ROOT / "customs" / "ops").glob("*.py"))
    checked = set(re.findall(r'CheckResult\(\s*"([^"]+)"', source)) | set(health_checks.PARTS.values())

    assert set(health_checks.RUNBOOKS) == checked
    assert [page for page in health_checks.RUNBOOKS.values() if not (ROOT / f"docs/runbooks/{page}.md").is_file()] == []


def test_the_command_says_it_as_json_too_and_its_exit_code_says_whether_something_is_wrong(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admin, "read_settings", lambda: trail.services.settings)

    def ran() -> tuple[int, dict[str, dict[str, str]]]:
        found = CliRunner().invoke(commands, ["doctor", "--json"])
        return found.exit_code, {one["part"]: one for one in json.loads(found.stdout)["results"]}

    _, before = ran()
    trail.tamper("DELETE FROM audit_entries WHERE number = 2")
    code, after = ran()

    assert before["audit trail"]["verdict"] == "ok"
    assert (code, after["audit trail"]["verdict"]) == (1, "wrong")
    assert after["audit trail"]["runbook"] == "docs/runbooks/AuditTrailBroken.md"
