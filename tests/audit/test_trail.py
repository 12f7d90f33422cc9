"""The audit trail keeps what was done, in one chain, whoever writes at the same time."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest

from customs.audit.actions import AuditAction, audit_event
from customs.audit.hash_chain import START, ChainDefect
from customs.audit.trail import AuditTrail
from customs.auth.principal import operator
from customs.errors import ActionNotAllowed
from tests import make
from tests.audit.trails import Trail, numbered_event

THREADS = 16
EACH = 5


def test_an_empty_trail_is_in_order(trail: Trail):
    verdict = trail.verify()

    assert (verdict.ok, verdict.entries, verdict.first_bad, verdict.what) == (True, 0, None, None)


def test_an_entry_says_who_did_what_to_which_when_and_why(trail: Trail):
    number = trail.write(numbered_event(7))

    (entry,) = trail.entries()
    assert (entry.number, entry.at) == (number, make.NOON)
    assert (entry.actor_id, entry.actor) == ("per_1", "reviewer 1")
    assert (entry.action, entry.subject, entry.subject_id) == ("declaration.modify", "declaration", "decl_7")
    assert (entry.merchant_no, entry.reason) == ("M200", "the office asked for it, call 7")
    assert entry.detail == {"pushes": "push_7", "override": "false"}


def test_entries_are_numbered_from_one_and_each_holds_the_hash_of_the_one_before(trail: Trail):
    trail.fill(5)

    entries = trail.entries()
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in entries] == [START.hash, *(entry.hash for entry in entries[:-1])]
    assert trail.verify().entries == 5


def test_an_auditor_gets_the_same_hash_without_us(trail: Trail):
    trail.write(numbered_event(1, reason='订购人来电：=1+1 \\ "quoted"', merchant_no=None))

    (row,) = trail.rows()
    response = row.pop("hash")
    row["at"] = "2026-11-23T12:00:00.000000Z"
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == response


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 23, 20, 0, 0, 1, timezone(timedelta(hours=8))),
        datetime(2026, 11, 23, 12, 0, 0, 999999, UTC),
        datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    ],
)
def test_a_time_is_the_same_however_the_database_keeps_it(trail: Trail, at: datetime):
    trail.write(numbered_event(), at=at)

    assert trail.entries()[0].at == at
    assert trail.verify().ok


def test_several_entries_of_one_transaction_are_entries_of_one_chain(trail: Trail):
    trail.write(numbered_event(1))

    with trail.services.transaction() as db:
        events = [numbered_event(number) for number in (2, 3, 4)]
        last = trail.services.audit.append_many(db, events, make.NOON)

    assert last == 4
    assert trail.verify().entries == 4


def test_the_kind_of_subject_is_the_first_word_of_the_action():
    made = audit_event(operator(), AuditAction.API_KEY_ROTATE, "key_1", merchant_no="M100", reason="lost", scopes="all")

    assert (made.actor_id, made.actor, made.subject, made.subject_id) == ("operator", "operator", "api_key", "key_1")
    assert (made.merchant_no, made.reason, made.detail) == ("M100", "lost", {"scopes": "all"})


def test_an_entry_that_was_rolled_back_leaves_no_entry_and_no_gap(trail: Trail):
    trail.write(numbered_event(1))

    with suppress(ActionNotAllowed), trail.services.transaction() as db:
        trail.services.audit.append(db, numbered_event(2), make.NOON)
        raise ActionNotAllowed
    trail.write(numbered_event(3))

    assert [entry.subject_id for entry in trail.entries()] == ["decl_1", "decl_3"]
    assert trail.verify().ok


def test_the_first_entry_of_all_may_be_rolled_back_too(trail: Trail):
    with suppress(ActionNotAllowed), trail.services.transaction() as db:
        trail.services.audit.append(db, numbered_event(1), make.NOON)
        raise ActionNotAllowed

    assert trail.write(numbered_event(2)) == 1
    assert trail.verify().ok


def test_many_who_write_at_once_make_one_chain_without_gaps(trail: Trail):
    start = threading.Barrier(THREADS)

    def write(thread: int) -> None:
        start.wait()
        trail.write(*(numbered_event(serial, actor_id=f"per_{thread}") for serial in range(EACH)))

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(write, thread) for thread in range(THREADS)]:
            done.result(timeout=60)

    verdict = trail.verify()
    assert (verdict.ok, verdict.entries) == (True, THREADS * EACH)
    written = {(entry.actor_id, entry.subject_id) for entry in trail.entries()}
    assert len(written) == THREADS * EACH


def test_a_look_at_the_trail_while_others_write_finds_no_fault(trail: Trail):
    trail.fill(20)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            trail.write(numbered_event())

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write) for _ in range(3)]
        verdicts = [trail.verify() for _ in range(30)]
        stop.set()
        for writer in writers:
            writer.result(timeout=30)

    assert {verdict.what for verdict in verdicts} == {None}


# What people type.


def test_an_id_number_in_a_reason_is_masked_before_it_is_kept(trail: Trail):
    cert_id = make.cert_id(7)

    trail.write(numbered_event(1, reason=f"{cert_id} 是错的", detail={"name": f"{cert_id}.xlsx"}))

    (entry,) = trail.entries()
    assert cert_id not in str(trail.rows())
    assert (entry.reason, entry.detail["name"][:4]) == (f"{cert_id[:4]}**********{cert_id[-4:]} 是错的", cert_id[:4])
    assert trail.verify().ok


# A new secret.


def test_under_another_secret_the_seal_does_not_fit_until_the_trail_is_sealed_anew(trail: Trail):
    trail.fill(3)
    trail.services.audit = AuditTrail("another secret, after a change of it")
    trail.write(numbered_event(4))
    assert trail.verify().what is ChainDefect.SEAL

    before = trail.services.audit.seal_anew(trail.services.engine, operator())

    assert (before.what, before.entries) == (ChainDefect.SEAL, 4)
    assert (trail.verify().ok, trail.verify().entries) == (True, 5)
    assert (trail.last().action, trail.last().actor_id, trail.last().detail) == (
        AuditAction.AUDIT_SEAL,
        "operator",
        {"entries": "4"},
    )


def test_what_fits_is_not_sealed_anew(trail: Trail):
    trail.fill(3)

    assert trail.services.audit.seal_anew(trail.services.engine, operator()).ok
    assert len(trail.entries()) == 3


def test_what_was_tampered_with_is_not_sealed_anew(trail: Trail):
    trail.fill(3)
    trail.tamper("UPDATE audit_entries SET reason = 'none' WHERE number = 2")
    trail.services.audit = AuditTrail("another secret, after a change of it")

    before = trail.services.audit.seal_anew(trail.services.engine, operator())

    assert before.what is ChainDefect.ALTERED
    assert len(trail.entries()) == 3


def test_an_end_that_is_not_that_of_the_last_entry_is_not_sealed_anew(trail: Trail):
    trail.fill(3)
    trail.tamper("DELETE FROM audit_entries WHERE number = 3")
    trail.services.audit = AuditTrail("another secret, after a change of it")

    with pytest.raises(ActionNotAllowed):
        trail.services.audit.seal_anew(trail.services.engine, operator())

    assert not trail.verify().ok
