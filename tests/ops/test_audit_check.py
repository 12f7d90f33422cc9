"""The end of the audit trail is noted outside its tables: whatever is put back, cut or emptied is found by that."""

import json
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from sqlalchemy import make_url

from customs.audit.anchors import Anchor, AnchorFile, anchor_end
from customs.audit.hash_chain import ChainDefect, Link
from customs.auth.principal import operator
from customs.cli import commands
from customs.errors import ActionNotAllowed
from customs.ops.audit_check import (
    ANCHOR_EVERY_SECONDS,
    PeriodicAnchor,
    accept_end,
    anchor_audit_trail,
    check_audit_trail,
    post_anchor,
)
from customs.ops.doctor import run_checks
from customs.webhooks.http_sender import new_secret
from tests import make
from tests.audit.trails import Trail, numbered_event
from tests.webhooks.receiver import Receiver, hang, listening, status

EMPTIED = ("DELETE FROM audit_entries", "DELETE FROM audit_end")


@pytest.fixture
def trail(services) -> Trail:
    """Five entries, of which the fifth is anchored."""
    trail = Trail(services)
    trail.fill(5)
    assert anchor_audit_trail(services) is not None
    return trail


def lines(trail: Trail) -> list[dict[str, str]]:
    return [json.loads(line) for line in trail.services.anchors.file.read_text().splitlines()]


def put_back(trail: Trail, number: int) -> None:
    """What a restore does: an end that was sealed right at its time, and nothing after it."""
    link = Link(number, trail.rows()[number - 1]["hash"])
    trail.tamper(
        "DELETE FROM audit_entries WHERE number > :number",
        "UPDATE audit_end SET number = :number, hash = :hash, seal = :seal",
        **asdict(link),
        seal=trail.services.audit._sealed(link),
    )
    assert trail.verify().ok


def test_an_anchor_is_a_line_of_the_log_and_of_a_file_that_only_its_owner_reads(trail: Trail):
    trail.fill(1)

    with structlog.testing.capture_logs() as logged:
        anchor_audit_trail(trail.services)

    last = trail.last()
    assert [(line["number"], line["accepted"]) for line in lines(trail)] == [(5, None), (6, None)]
    assert lines(trail)[-1]["hash"] == last.hash
    assert logged == [{"event": "audit anchor", "log_level": "info", "number": 6, "hash": last.hash}]
    assert stat.S_IMODE(trail.services.anchors.file.stat().st_mode) == 0o600


def test_an_end_that_stands_still_is_not_written_again(trail: Trail):
    assert anchor_audit_trail(trail.services) is None

    assert len(lines(trail)) == 1


def test_a_trail_that_goes_on_from_its_anchor_fits(trail: Trail):
    trail.fill(2)

    found = check_audit_trail(trail.services)

    assert found.ok
    assert found.anchor is not None
    assert found.anchor.number == 5


def test_a_database_that_was_put_back_to_an_earlier_day_is_found(trail: Trail):
    put_back(trail, 3)

    found = check_audit_trail(trail.services).verdict

    assert (found.what, found.first_bad) == (ChainDefect.PUT_BACK, 5)


@pytest.mark.parametrize("later", [0, 1, 2, 9])
def test_it_is_still_found_once_the_desk_went_on_and_no_anchor_covers_it_up(trail: Trail, later: int):
    put_back(trail, 3)
    trail.fill(later)

    anchor_audit_trail(trail.services)

    assert len(lines(trail)) == 1
    assert check_audit_trail(trail.services).verdict.what is ChainDefect.PUT_BACK


@pytest.mark.parametrize("later", [0, 1, 7])
def test_a_trail_that_was_emptied_with_its_end_is_found(trail: Trail, later: int):
    trail.tamper(*EMPTIED)
    trail.write(*(numbered_event(100 + serial) for serial in range(later)))
    assert trail.verify().ok

    anchor_audit_trail(trail.services)

    assert check_audit_trail(trail.services).verdict.what is ChainDefect.PUT_BACK


def test_an_end_whose_seal_does_not_fit_is_not_anchored(trail: Trail):
    trail.tamper("UPDATE audit_end SET number = 900")

    assert anchor_audit_trail(trail.services) is None


def test_the_doctor_names_the_entry_and_what_to_do(trail: Trail):
    put_back(trail, 3)

    (found,) = [one for one in run_checks(trail.services) if one.part == "audit trail"]

    assert (found.verdict, str(found.finding)) == (
        "wrong",
        "entry 5 is not the one that was noted outside of the database",
    )
    assert "customs audit anchor --accept" in found.remedy


def test_after_a_restore_an_operator_accepts_the_end_which_is_recorded(trail: Trail):
    put_back(trail, 3)
    given_up = lines(trail)[0]

    anchor = accept_end(trail.services, operator(), "the disk of 3 May was lost, 11010519491231002X told us")

    entry = trail.last()
    assert (entry.action, entry.number, anchor.number) == ("audit.accept_end", 4, 4)
    assert entry.detail == {"anchor": f"5 {given_up['hash']}"}
    assert check_audit_trail(trail.services).ok
    assert "the disk of 3 May was lost" in (entry.reason or "")
    assert "11010519491231002X" not in trail.services.anchors.file.read_text()
    trail.fill(3)
    assert anchor_audit_trail(trail.services) is not None
    assert check_audit_trail(trail.services).ok


def test_a_trail_with_an_altered_entry_is_not_accepted(trail: Trail):
    trail.tamper("UPDATE audit_entries SET reason = 'none' WHERE number = 2")

    with pytest.raises(ActionNotAllowed, match="entries of the audit trail were changed"):
        accept_end(trail.services, operator(), "because")

    assert len(lines(trail)) == 1


@pytest.mark.parametrize("reason", ["", " \t"])
def test_no_end_is_accepted_without_a_reason(trail: Trail, reason: str):
    put_back(trail, 3)

    with pytest.raises(ActionNotAllowed, match="say why"):
        accept_end(trail.services, operator(), reason)

    assert (len(lines(trail)), trail.last().number) == (1, 3)


def test_the_command_notes_the_end_and_accepts_it_with_a_reason(trail: Trail):
    settings = trail.services.settings
    environ = make.SECRETS | {"CUSTOMS_HOME": str(settings.home), "CUSTOMS_DATABASE_URL": settings.database_url}

    def called(*words: str) -> str:
        ran = CliRunner(env=environ).invoke(commands, ["audit", "anchor", *words], catch_exceptions=False)
        assert ran.exit_code == 0
        return ran.stdout

    assert "nothing to note" in called()
    trail.fill(1)
    assert called().endswith(f"6 {trail.last().hash}\n")
    put_back(trail, 3)
    assert "nothing to note" in called()
    assert called("--accept", "a restore").endswith(f"4 {trail.last().hash}\n")
    assert [line["accepted"] for line in lines(trail)] == [None, None, "a restore"]


def test_of_two_processes_at_once_one_anchors(trail: Trail):
    trail.fill(1)
    services = trail.services

    with services.anchors.locked() as is_own:
        other = AnchorFile(services.settings.home, services.engine.url)
        assert is_own
        assert anchor_end(services.engine, services.audit, other) is None

    assert anchor_end(services.engine, services.audit, services.anchors) is not None


def test_another_database_of_the_same_home_has_anchors_of_its_own(tmp_path: Path):
    def file(url: str, home: Path = tmp_path) -> AnchorFile:
        return AnchorFile(home, make_url(url))

    anchor = Anchor("2026-11-23T08:00:00.000000Z", 7, "f" * 64)
    file("postgresql+psycopg://desk:secret@db.example:5432/customs").append(anchor)

    assert file("postgresql+psycopg://desk:changed@db.example:5432/customs").last() == anchor
    assert file("postgresql+psycopg://desk@db.example:5432/other").last() is None
    assert file("postgresql+psycopg://desk@other.example:5432/customs").last() is None
    assert file(f"sqlite:///{tmp_path}/customs.db").last() is None
    assert "secret" not in (tmp_path / "audit_anchors").read_text()


def test_a_home_that_moves_takes_its_anchors_along(tmp_path: Path):
    before, after = tmp_path / "before", tmp_path / "after"
    anchor = Anchor("2026-11-23T08:00:00.000000Z", 7, "f" * 64)
    AnchorFile(before, make_url(f"sqlite:///{before}/customs.db")).append(anchor)

    before.rename(after)

    assert AnchorFile(after, make_url(f"sqlite:///{after}/customs.db")).last() == anchor


def test_a_line_that_was_cut_short_is_passed_over_and_swallows_none_after_it(trail: Trail):
    file = trail.services.anchors.file
    with file.open("a") as stream:
        stream.write('{"database": "customs.db", "at": "2026-')
    assert check_audit_trail(trail.services).ok

    trail.fill(1)
    anchor_audit_trail(trail.services)

    found = trail.services.anchors.last()
    assert found is not None
    assert found.number == 6


def test_anchors_that_cannot_be_read_stop_nothing_and_are_said(trail: Trail):
    file = trail.services.anchors.file
    file.unlink()
    file.mkdir()

    with structlog.testing.capture_logs() as logged:
        assert anchor_audit_trail(trail.services) is None
    (found,) = [one for one in run_checks(trail.services) if one.part == "audit trail"]

    assert [line["event"] for line in logged] == ["the audit trail could not be anchored"]
    assert (found.verdict, "cannot be read" in found.finding) == ("note", True)


def test_the_clock_anchors_at_its_start_and_then_every_few_minutes(trail: Trail):
    passed = 0.0
    periodic = PeriodicAnchor(trail.services, lambda: passed)

    for number, passed in enumerate((0.0, ANCHOR_EVERY_SECONDS - 1, ANCHOR_EVERY_SECONDS), start=6):  # noqa: B007
        trail.write(numbered_event(number))
        periodic.tick()

    assert [line["number"] for line in lines(trail)] == [5, 6, 8]


def test_the_check_reads_its_anchor_before_the_trail_so_that_one_written_meanwhile_is_no_alarm(trail: Trail):
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            trail.fill(1)
            anchor_audit_trail(trail.services)

    thread = threading.Thread(target=go_on)
    thread.start()
    verdicts = [check_audit_trail(trail.services).verdict.what for _ in range(20)]
    stop.set()
    thread.join()

    assert set(verdicts) == {None}


SECRET = new_secret()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


@pytest.fixture
def posting(trail: Trail, receiver: Receiver) -> PeriodicAnchor:
    """The clock's anchoring on a desk that posts its anchors; each tick is five minutes after the last."""
    services = trail.services
    services.settings = replace(services.settings, audit_anchor_url=receiver.url, audit_anchor_secret=SECRET)
    return PeriodicAnchor(services, count(0, ANCHOR_EVERY_SECONDS * 2).__next__)


def tick(posting: PeriodicAnchor) -> None:
    """Tick, and wait for what is posted beside it."""
    posting.tick()
    assert posting._post is not None
    posting._post.join(20)


def test_an_anchor_is_posted_once_and_its_signature_verifies(trail: Trail, receiver: Receiver, posting: PeriodicAnchor):
    trail.fill(1)

    for _ in range(3):
        tick(posting)

    (heard,) = receiver.heard
    assert heard.is_signed_with(SECRET)
    assert not heard.is_signed_with(new_secret())
    assert (heard.payload["type"], heard.payload["data"]["number"]) == ("audit.anchored", 6)
    assert heard.payload["data"]["hash"] == trail.last().hash


@pytest.mark.parametrize("answer", [status(500), status(302, Location="http://127.0.0.1:9/")])
def test_an_anchor_that_was_not_taken_is_posted_again(trail: Trail, receiver: Receiver, posting, answer):
    receiver.answer = answer
    tick(posting)
    receiver.answer = status(204)

    tick(posting)
    tick(posting)

    assert [one.payload["data"]["number"] for one in receiver.heard] == [5, 5]
    assert len({one.id for one in receiver.heard}) == 1


def test_a_receiver_that_hangs_holds_the_clock_up_in_nothing(trail: Trail, receiver: Receiver, posting: PeriodicAnchor):
    receiver.answer = hang(receiver)
    began = time.monotonic()

    for _ in range(3):
        trail.fill(1)
        posting.tick()

    assert time.monotonic() - began < 5
    assert [line["number"] for line in lines(trail)] == [5, 6, 7, 8]
    receiver.over.set()


def test_a_receiver_that_is_away_is_said_without_its_address(trail: Trail):
    settings = replace(
        trail.services.settings, audit_anchor_url="http://127.0.0.1:9/token-of-ours", audit_anchor_secret=SECRET
    )
    anchor = trail.services.anchors.last()
    assert anchor is not None

    with structlog.testing.capture_logs() as logged:
        assert not post_anchor(settings, anchor)

    assert [line["event"] for line in logged] == ["an audit anchor could not be posted"]
    assert "token-of-ours" not in str(logged)
