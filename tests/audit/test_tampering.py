"""Whoever has the database's password and not the secret changes nothing of the audit trail unseen."""

from datetime import timedelta
from typing import Any

import pytest

from customs.audit.hash_chain import CHUNK, START, ChainDefect, hash_of
from customs.audit.models import ENTRIES
from tests.audit.trails import Trail, numbered_event

FORGED: dict[str, Any] = {
    "at": None,
    "actor_id": "per_9",
    "actor": "somebody else",
    "action": "declaration.dismiss",
    "subject": "payment",
    "subject_id": "decl_99",
    "merchant_no": "M999",
    "reason": "because",
    "detail": '{"pushes": "push_5", "override": "true"}',
    "previous": "f" * 64,
    "hash": "f" * 64,
}
COLUMNS = [column.name for column in ENTRIES.columns]
COPY = ", ".join(name for name in COLUMNS if name != "number")
NUMBERED_ANEW = "UPDATE audit_entries SET number = :new WHERE number = :old"


@pytest.fixture
def trail(trail: Trail) -> Trail:
    """Nine entries."""
    trail.fill(9)
    assert trail.verify().ok
    return trail


def found(trail: Trail) -> tuple[ChainDefect | None, int | None]:
    verdict = trail.verify()
    assert not verdict.ok
    return verdict.what, verdict.first_bad


def rewrite(trail: Trail, first: int, **changes: Any) -> None:
    """Change one entry, and make its hash and those of all that follow anew, as everybody can."""
    rows = trail.rows()
    rows[first - 1] |= changes
    for index in range(first - 1, len(rows)):
        rows[index]["previous"] = rows[index - 1]["hash"] if index else START.hash
        rows[index]["hash"] = hash_of(rows[index])
    with trail.services.engine.begin() as db:
        for row in rows[first - 1 :]:
            db.execute(ENTRIES.update().where(ENTRIES.c.number == row["number"]).values(row))


# Edits.


@pytest.mark.parametrize("column", FORGED)
@pytest.mark.parametrize("number", [1, 5, 9])
def test_an_edit_of_any_column_is_found(trail: Trail, column: str, number: int):
    value = trail.rows()[0]["at"] - timedelta(days=1) if column == "at" else FORGED[column]

    with trail.services.engine.begin() as db:
        values = {column: {"override": "true"} if column == "detail" else value}
        db.execute(ENTRIES.update().where(ENTRIES.c.number == number).values(values))

    assert found(trail) == (ChainDefect.ALTERED, number)


def test_every_column_was_tried():
    assert {*FORGED, "number"} == set(COLUMNS)


@pytest.mark.parametrize("column", ["merchant_no", "reason"])
def test_what_was_emptied_is_found(trail: Trail, column: str):
    trail.tamper(f"UPDATE audit_entries SET {column} = NULL WHERE number = 4")

    assert found(trail) == (ChainDefect.ALTERED, 4)


def test_a_microsecond_is_found(trail: Trail):
    with trail.services.engine.begin() as db:
        later = trail.rows()[4]["at"] + timedelta(microseconds=1)
        db.execute(ENTRIES.update().where(ENTRIES.c.number == 5).values(at=later))

    assert found(trail) == (ChainDefect.ALTERED, 5)


def test_an_entry_that_was_written_anew_with_its_hash_is_found(trail: Trail):
    row = trail.rows()[4] | {"reason": "nobody asked for it"}

    with trail.services.engine.begin() as db:
        values = {"reason": row["reason"], "hash": hash_of(row)}
        db.execute(ENTRIES.update().where(ENTRIES.c.number == 5).values(values))

    assert found(trail) == (ChainDefect.ALTERED, 5)


def test_the_last_entry_written_anew_with_its_hash_is_found(trail: Trail):
    rewrite(trail, 9, reason="nobody asked for it")

    assert found(trail) == (ChainDefect.ALTERED, 9)


@pytest.mark.parametrize("first", [1, 5, 9])
def test_hashes_made_anew_up_to_the_end_are_found_for_want_of_the_secret(trail: Trail, first: int):
    rewrite(trail, first, reason="nobody asked for it")
    trail.tamper("UPDATE audit_end SET hash = (SELECT hash FROM audit_entries WHERE number = 9)")

    assert found(trail) == (ChainDefect.SEAL, None)


# Deletions.


@pytest.mark.parametrize("number", [1, 5, 8])
def test_a_deletion_is_found(trail: Trail, number: int):
    trail.tamper("DELETE FROM audit_entries WHERE number = :number", number=number)

    assert found(trail) == (ChainDefect.MISSING, number)


def test_a_deletion_that_closes_the_gap_is_found(trail: Trail):
    trail.tamper("DELETE FROM audit_entries WHERE number = 5")
    for number in range(6, 10):
        trail.tamper(NUMBERED_ANEW, old=number, new=number - 1)

    assert found(trail) == (ChainDefect.ALTERED, 5)


@pytest.mark.parametrize("first", [9, 7, 2])
def test_what_was_cut_off_at_the_end_is_found(trail: Trail, first: int):
    trail.tamper("DELETE FROM audit_entries WHERE number >= :first", first=first)

    assert found(trail) == (ChainDefect.CUT_OFF, first)


def test_what_was_cut_off_is_still_found_once_others_have_gone_on(trail: Trail):
    trail.tamper("DELETE FROM audit_entries WHERE number >= 8")

    trail.write(numbered_event(10), numbered_event(11))

    assert found(trail) == (ChainDefect.MISSING, 8)


def test_what_was_cut_off_together_with_its_end_is_found(trail: Trail):
    trail.tamper(
        "DELETE FROM audit_entries WHERE number >= 8",
        "UPDATE audit_end SET number = 7, hash = (SELECT hash FROM audit_entries WHERE number = 7)",
    )

    assert found(trail) == (ChainDefect.SEAL, None)


def test_nobody_s_later_entry_covers_that_up(trail: Trail):
    trail.tamper(
        "DELETE FROM audit_entries WHERE number >= 8",
        "UPDATE audit_end SET number = 7, hash = (SELECT hash FROM audit_entries WHERE number = 7)",
    )

    trail.write(numbered_event(10), numbered_event(11))

    assert found(trail) == (ChainDefect.SEAL, None)


def test_a_trail_that_was_emptied_is_found(trail: Trail):
    trail.tamper("DELETE FROM audit_entries")

    assert found(trail) == (ChainDefect.CUT_OFF, 1)


def test_an_end_that_was_taken_away_is_found(trail: Trail):
    trail.tamper("DELETE FROM audit_end")

    assert found(trail) == (ChainDefect.CUT_OFF, 10)


def test_an_end_that_was_taken_away_is_still_found_once_others_have_gone_on(trail: Trail):
    trail.tamper("DELETE FROM audit_end")

    trail.write(numbered_event(10), numbered_event(11))

    assert found(trail) == (ChainDefect.ALTERED, 9)


def test_an_emptied_trail_without_an_end_that_is_filled_with_others_entries_is_found(trail: Trail):
    trail.tamper("DELETE FROM audit_end", "DELETE FROM audit_entries WHERE number > 3")

    trail.write(numbered_event(10), numbered_event(11))

    assert found(trail) == (ChainDefect.ALTERED, 3)


# Insertions.


def test_an_insertion_in_the_middle_is_found(trail: Trail):
    for number in range(9, 5, -1):
        trail.tamper(NUMBERED_ANEW, old=number, new=number + 1)
    trail.tamper(f"INSERT INTO audit_entries (number, {COPY}) SELECT 6, {COPY} FROM audit_entries WHERE number = 5")

    assert found(trail) == (ChainDefect.ALTERED, 6)


@pytest.mark.parametrize(("number", "bad"), [(10, 10), (99, 10), (0, 0), (-1, -1)])
def test_an_insertion_beyond_either_end_is_found(trail: Trail, number: int, bad: int):
    trail.tamper(
        f"INSERT INTO audit_entries (number, {COPY}) SELECT :number, {COPY} FROM audit_entries WHERE number = 9",
        number=number,
    )

    assert found(trail) == (ChainDefect.ADDED, bad)


def forge_the_next(trail: Trail) -> None:
    """An entry such as the desk itself would add."""
    last = trail.rows()[-1]
    row = last | {"number": last["number"] + 1, "previous": last["hash"], "reason": "forged"}
    with trail.services.engine.begin() as db:
        db.execute(ENTRIES.insert().values(row | {"hash": hash_of(row)}))


def test_a_forged_entry_at_the_end_is_found_and_keeps_nobody_from_going_on(trail: Trail):
    forge_the_next(trail)
    assert found(trail) == (ChainDefect.ADDED, 10)

    trail.write(numbered_event(11), numbered_event(12))

    assert found(trail) == (ChainDefect.ALTERED, 10)
    assert [entry.number for entry in trail.entries()][-2:] == [11, 12]


def test_a_forged_entry_that_the_end_was_moved_to_is_found(trail: Trail):
    forge_the_next(trail)
    trail.tamper("UPDATE audit_end SET number = 10, hash = (SELECT hash FROM audit_entries WHERE number = 10)")
    assert found(trail) == (ChainDefect.SEAL, None)

    trail.write(numbered_event(11))

    assert found(trail) == (ChainDefect.SEAL, None)


# Another order.


def test_entries_that_changed_places_are_found(trail: Trail):
    for old, new in ((4, 100), (7, 4), (100, 7)):
        trail.tamper(NUMBERED_ANEW, old=old, new=new)

    assert found(trail) == (ChainDefect.ALTERED, 4)


def test_an_entry_that_was_moved_to_the_end_is_found(trail: Trail):
    trail.tamper(NUMBERED_ANEW, old=4, new=10)

    assert found(trail) == (ChainDefect.MISSING, 4)


# The end itself.


@pytest.mark.parametrize("change", ["number = 8", "number = 10", f"hash = '{'f' * 64}'", "seal = ''", "seal = 'é'"])
def test_an_edit_of_the_end_is_found(trail: Trail, change: str):
    trail.tamper(f"UPDATE audit_end SET {change}")

    assert found(trail) == (ChainDefect.SEAL, None)


def test_a_trail_longer_than_is_read_at_once_is_looked_at_whole(trail: Trail):
    trail.fill_at_once(CHUNK)
    assert trail.verify().entries == CHUNK + 9

    trail.tamper("UPDATE audit_entries SET reason = 'none' WHERE number = :number", number=CHUNK + 7)

    assert found(trail) == (ChainDefect.ALTERED, CHUNK + 7)
    assert trail.verify().entries == CHUNK + 6
