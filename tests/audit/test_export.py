"""The audit trail as a file: all that an auditor needs to check the chain, and nothing that runs in a spreadsheet."""

import hashlib
import json
from typing import Any

import pytest

from customs.audit.actions import AuditAction
from customs.audit.queries import CHUNK, COLUMNS, AuditFilters, export
from customs.auth.principal import Caller, Scope, operator
from tests import make
from tests.audit.trails import Trail, numbered_event


def exported(trail: Trail, by: Caller | None = None, **filters: Any) -> list[dict[str, str]]:
    services = trail.services
    header, *rows = export(services.engine, services.audit, by or operator(), AuditFilters(**filters), "an audit")
    assert header == list(COLUMNS)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_every_column_of_every_entry_is_there_oldest_first_and_the_export_itself_is_the_last(trail: Trail):
    trail.fill(4)

    rows = exported(trail)

    assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0] == {
        "number": "1",
        "at": "2026-11-23T12:01:00.000000Z",
        "actor_id": "per_1",
        "actor": "reviewer 1",
        "action": "declaration.modify",
        "subject": "declaration",
        "subject_id": "decl_1",
        "merchant_no": "M200",
        "reason": "the office asked for it, call 1",
        "detail": '{"override": "false", "pushes": "push_1"}',
        "previous": "0" * 64,
        "hash": rows[1]["previous"],
    }
    assert (rows[-1]["action"], rows[-1]["actor_id"]) == (AuditAction.AUDIT_EXPORT, "operator")


def test_the_chain_can_be_checked_from_the_file_alone(trail: Trail):
    trail.write(numbered_event(1), numbered_event(2, reason=None, merchant_no=None), numbered_event(3, reason="=1+1"))

    before = "0" * 64
    for row in exported(trail):
        entry: dict[str, Any] = {name: cell.removeprefix("'") or None for name, cell in row.items() if name != "hash"}
        entry |= {"number": int(row["number"]), "detail": json.loads(row["detail"])}
        hashed = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        assert (row["previous"], row["hash"]) == (before, hashlib.sha256(hashed).hexdigest())
        before = row["hash"]


def test_an_export_is_on_record_before_its_first_row_with_what_it_was_narrowed_by(trail: Trail):
    trail.fill(2)
    services = trail.services

    filters = AuditFilters("per_1", "declaration.modify", "decl_1", "M200", since=make.NOON)
    export(services.engine, services.audit, operator(), filters, "the yearly audit")

    entry = trail.last()
    assert (entry.action, entry.actor_id, entry.merchant_no) == (AuditAction.AUDIT_EXPORT, "operator", None)
    assert entry.reason == "the yearly audit"
    assert entry.detail == {
        "actor_id": "per_1",
        "action": "declaration.modify",
        "subject_id": "decl_1",
        "merchant_no": "M200",
        "since": "2026-11-23T12:00:00.000000Z",
    }


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(trail: Trail, beginning: str):
    trail.write(numbered_event(1, reason=f"{beginning}cmd|' /C calc'!A0", actor=f"{beginning}A1"))

    row = exported(trail)[0]

    assert (row["reason"], row["actor"]) == (f"'{beginning}cmd|' /C calc'!A0", f"'{beginning}A1")


def test_an_export_holds_what_the_list_would_show(trail: Trail):
    trail.fill(7)
    by = Caller("per_reader", "a reader", frozenset(Scope), frozenset({"M100"}))

    assert [row["number"] for row in exported(trail, by)] == ["3", "6", "8"]
    assert [row["number"] for row in exported(trail, actor_id="per_1")] == ["1", "4", "7"]


def test_an_export_longer_than_is_read_at_once_is_whole(trail: Trail):
    trail.fill_at_once(CHUNK + 3)

    assert [int(row["number"]) for row in exported(trail)] == list(range(1, CHUNK + 5))
