"""The versions of the database: they make what the models say, on both, and two processes may start at once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    inspect,
    null,
    select,
    text,
)
from sqlalchemy.orm import selectinload

from customs.auth.models import ApiKey
from customs.db import database, schema_guard
from customs.declarations.cases import CaseKind, Cause, cause_of
from customs.declarations.models import Batch, BatchReplay, Declaration, OpenRow, Push
from customs.events.outbox import OutboxEvent
from customs.events.timeline import Event
from customs.ops import migrate
from customs.payments.models import Payment, Refund
from customs.payments.states import PaymentCase
from customs.stats.tallies import ALL_TIME, Tally
from customs.webhooks.models import Endpoint
from tests.postgresql import drop_database, new_database

NOW = "'2026-11-23 08:00:00'"
A_SPLIT_ORDER_OF_THE_FIRST_VERSION = (
    f"INSERT INTO batches (id, name, sender, created_at, findings) VALUES ('bat_1', 'one', 'erp', {NOW}, '[]')",
    "INSERT INTO declarations (id, batch_id, merchant_no, channel, office, out_order_no, payment_no, mch_customs_no,"
    " state, identity, needs_review, cancelled, created_at) VALUES ('decl_1', 'bat_1', 'M100', 'wechatpay', 'SHENZHEN',"
    f" 'O1', 'P1', '123456789BTW', 'UNDECLARED', 'UNCHECKED', FALSE, FALSE, {NOW})",
    "INSERT INTO batch_replays (batch_id, declaration_id) VALUES ('bat_1', 'decl_1')",
    *(
        statement
        for part in (1, 2)
        for statement in (
            "INSERT INTO sub_orders (id, declaration_id, merchant_no, position, sub_order_no, amount)"
            f" VALUES ('sub_{part}', 'decl_1', 'M100', {part}, 'S{part}', 4644)",
            "INSERT INTO pushes (id, declaration_id, sub_order_id, merchant_no, channel, payment_no, customs,"
            " sub_order_no, position, cancelled, state, accepted, epoch, fresh, attempts, tries, polls, doubts, fence)"
            f" VALUES ('push_{part}', 'decl_1', 'sub_{part}', 'M100', 'wechatpay', 'P1', 'SHENZHEN',"
            f" 'S{part}', {part}, FALSE, 'UNDECLARED', FALSE, 0, TRUE, 0, 0, 0, 0, 0)",
        )
    ),
)

SINCE = bindparam("since", type_=database.UtcDateTime)
A_DECLARATION_OF_THE_SIXTH_VERSION = (
    text(
        "INSERT INTO declarations (id, batch_id, merchant_no, channel, office, out_order_no, payment_no,"
        " mch_customs_no, state, identity, needs_review, case_reason, case_since, cancelled, created_at) VALUES"
        " (:decl, 'bat_1', 'M100', 'wechatpay', 'SHENZHEN', :payment, :payment, '123456789BTW', :state, 'UNCHECKED',"
        " :case, :reason, :since, :cancelled, :at)"
    ).bindparams(SINCE, bindparam("at", type_=database.UtcDateTime)),
    text(
        "INSERT INTO pushes (id, declaration_id, merchant_no, channel, payment_no, customs, sub_order_no, position,"
        " withheld, cancelled, state, accepted, epoch, fresh, attempts, tries, polls, doubts, fence, case_reason,"
        " case_since) VALUES (:push, :decl, 'M100', 'wechatpay', :payment, 'SHENZHEN', '', 0, FALSE, :cancelled,"
        " :state, FALSE, 0, TRUE, 0, 0, 0, 0, 0, :reason, :since)"
    ).bindparams(SINCE),
)
REFUSED = "refused: the amounts differ"
# Each reason for a case that there was before causes were kept.
REASONS = (
    "FAIL: no registration 110396T0001 of 李*",
    "FAIL: no registration 220396T0001 of 王**",
    "EXCEPT",
    REFUSED,
    "identity MISMATCH: the order's buyer is not the payer",
    "the gateway answered with an unknown state: BLUE",
    "the gateway went back from SUCCESS to PROCESSING",
    "no end after 24 hours of asking",
    "MODIFY sent 2 times without effect",
    "40.00 CNY of its payment is refunded: sold out",
    "refunded 1.00 CNY elsewhere",
    "the sub-orders at SHENZHEN come to 2.00, and 1.00 was paid",
    "its payment is EXPIRED",
    "whatever it was",
)
# What today's version reads each of them as.
CASES = (
    (CaseKind.FAIL, {"explanation": "no registration 110396T0001 of 李*"}),
    (CaseKind.FAIL, {"explanation": "no registration 220396T0001 of 王**"}),
    (CaseKind.EXCEPT, {}),
    (CaseKind.REFUSED, {"explanation": "the amounts differ"}),
    (CaseKind.IDENTITY, {}),
    (CaseKind.UNKNOWN_STATE, {"state": "BLUE"}),
    (CaseKind.WENT_BACK, {"before": "SUCCESS", "after": "PROCESSING"}),
    (CaseKind.NO_END, {}),
    (CaseKind.NO_EFFECT, {"action": "MODIFY", "count": "2"}),
    (CaseKind.REFUND, {"amount": "40.00", "currency": "CNY", "reason": "sold out"}),
    (CaseKind.REFUND, {"amount": "1.00", "currency": "CNY"}),
    (CaseKind.OVER_PAID, {"customs": "SHENZHEN", "declared": "2.00", "paid": "1.00"}),
    (CaseKind.PAYMENT_ENDED, {"status": "EXPIRED"}),
    (CaseKind.OTHER, {"reason": "whatever it was"}),
)
REASONS_OF_PAYMENTS = (
    "no end after 24 hours of asking",
    "nobody knows what became of it: the gateway was asked for 24 hours",
    "sent 21 times without effect",
    "the gateway answers about somebody else's record under this number",
)
OF_PAYMENTS = (
    (PaymentCase.NO_END, {}),
    (PaymentCase.NO_ANSWER, {}),
    (PaymentCase.NO_EFFECT, {"count": "21"}),
    (PaymentCase.ANOTHERS_NUMBER, {}),
)
MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'customs.db'}"
        return
    url = new_database(request.getfixturevalue("cluster"))
    yield url
    drop_database(url)


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    made = database.connect(empty_database)
    yield made
    made.dispose()


def is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return schema_guard.mismatch_of(connection) is None


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, database.Base.metadata))


def test_the_versions_make_what_the_models_say(engine: Engine):
    migrate.upgrade(engine)

    assert differences(engine) == []
    assert is_current(engine)


def test_an_upgrade_of_what_is_current_changes_nothing(engine: Engine):
    migrate.upgrade(engine)
    before = sorted(inspect(engine).get_table_names())

    migrate.upgrade(engine)

    assert sorted(inspect(engine).get_table_names()) == before


def test_of_two_upgrades_at_once_one_works_and_the_other_waits(empty_database: str):
    engines = [database.connect(empty_database) for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.upgrade, engines))

    assert all(is_current(engine) for engine in engines)
    assert differences(engines[0]) == []
    for engine in engines:
        engine.dispose()


def test_a_database_behind_is_told_apart(engine: Engine):
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")

    assert not is_current(engine)


def test_the_way_back_leaves_nothing_behind(engine: Engine):
    migrate.upgrade(engine)

    with migrate.migration(engine) as made:
        command.downgrade(made, "base")

    assert set(inspect(engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}


def test_what_the_first_version_holds_goes_through_all_later_ones_and_back(engine: Engine):
    with migrate.migration(engine) as made:
        command.upgrade(made, "0001")
    with engine.begin() as connection:
        for statement in A_SPLIT_ORDER_OF_THE_FIRST_VERSION:
            connection.exec_driver_sql(statement)

    migrate.upgrade(engine)

    with database.transaction(engine) as db:
        found = db.scalars(
            select(Declaration).options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
        ).one()
        assert [part.sub_order_no for part in found.sub_orders] == ["S1", "S2"]
        assert [push.sub_order_no for push in found.pushes] == ["S1", "S2"]
        assert db.scalars(select(BatchReplay.declaration_id)).all() == [found.id]
    with migrate.migration(engine) as made:
        command.downgrade(made, "0001")
    with engine.connect() as connection:
        joined = "SELECT s.sub_order_no FROM sub_orders s JOIN pushes p ON p.sub_order_id = s.id ORDER BY p.position"
        assert connection.exec_driver_sql(joined).scalars().all() == ["S1", "S2"]


def test_rows_that_an_older_batch_left_out_are_open(engine: Engine):
    with migrate.migration(engine) as made:
        command.upgrade(made, "0012")
    findings = [
        {"pointer": f"/declarations/{at}/office", "row": row, "column": None, "code": "x", "severity": severity}
        for at, row, severity in ((0, 2, "warning"), (1, 3, "error"), (1, 4, "error"), (2, None, "error"))
    ]
    batch = {"id": "bat_1", "name": "one", "sender_id": "person_1", "sender": "a clerk", "findings": findings}
    draft = {"id": "draft_1", "owner_id": "person_1", "name": "", "form": "csv", "encoding": "", "batch_id": "bat_1"}
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["batches", "drafts"])
        at = {"created_at": datetime(2026, 11, 23, 8, tzinfo=UTC)}
        connection.execute(tables.tables["batches"].insert(), batch | at)
        sealed = {"revision": 1, "row_count": 2, "updated_at": at["created_at"], "sealed": b""}
        connection.execute(tables.tables["drafts"].insert(), draft | sealed | at)

    migrate.upgrade(engine)

    with database.transaction(engine) as db:
        rows = db.scalars(select(OpenRow).order_by(OpenRow.position, OpenRow.row)).all()
        assert [(row.position, row.row, row.draft_id, row.left_by) for row in rows] == [
            (1, 3, "draft_1", "a clerk"),
            (1, 4, "draft_1", "a clerk"),
            (2, None, None, "a clerk"),
        ]
        assert db.get_one(Batch, "bat_1").runs == 0


def test_what_came_before_tallies_and_causes_is_tallied_and_has_its_cause(engine: Engine):
    with migrate.migration(engine) as made:
        command.upgrade(made, "0006")
    with engine.begin() as connection:
        for number, reason in enumerate(("", *REASONS)):
            for statement in A_DECLARATION_OF_THE_SIXTH_VERSION:
                connection.execute(statement, a_declaration(number, reason))

    migrate.upgrade(engine)

    with database.transaction(engine) as db:
        tallies: Counter[tuple[object, ...]] = Counter()
        for row in db.scalars(select(Tally)):
            tallies[row.kind, row.day, row.word] += row.count
        pushes = {push.id: push for push in db.scalars(select(Push))}
        causes = {cause.id: cause for cause in db.scalars(select(Cause))}
        subjects = set(db.scalars(select(Tally.subject).where(Tally.kind == "cause")))
    cases = len(REASONS)
    assert tallies == {
        ("state", ALL_TIME, "SUCCESS"): cases - 1,
        ("state", ALL_TIME, "UNDECLARED"): 1,
        ("state", ALL_TIME, "idle_undeclared"): 1,
        ("state", ALL_TIME, "cancelled"): 1,
        ("state", ALL_TIME, "needs_review"): cases,
        # Half an hour before midnight in Shanghai, and after it.
        ("state", date(2026, 11, 23), "cancelled"): 1,
        ("state", date(2026, 11, 24), "SUCCESS"): cases - 1,
        ("state", date(2026, 11, 24), "UNDECLARED"): 1,
        ("state", date(2026, 11, 24), "idle_undeclared"): 1,
        ("state", date(2026, 11, 24), "needs_review"): cases,
        ("cause", ALL_TIME, "open"): cases,
        ("cause", ALL_TIME, "opened"): cases,
        ("cause", date(2026, 11, 24), "opened"): cases,
    }
    keys = {number: cause_of("wechatpay", "SHENZHEN", *case) for number, case in enumerate(CASES, start=1)}
    named = {number: cause.id for number, cause in keys.items()}
    assert {number: pushes[f"push_{number}"].cause_id for number in keys} == named
    assert {one.id: causes[one.id].detail for one in keys.values()} == {one.id: one.detail for one in keys.values()}
    assert pushes["push_0"].cause_id is None
    assert causes.keys() == subjects == set(named.values())
    same = causes[named[1]]
    assert (same.error, same.explanation, named[1] == named[2]) == ("FAIL", "no registration # of #", True)
    assert (same.first_seen_at.minute, same.last_seen_at.minute) == (31, 32)
    later = {CaseKind.ANOTHERS_NUMBER}
    assert {causes[named[number]].error for number in range(2, cases + 1)} == set(CaseKind) - later


def test_sentences_of_cases_become_values_and_sentences_again(engine: Engine):
    """Also those in the timeline, where two that were closed at once are one sentence."""
    declared, paid = dict(enumerate(REASONS)), dict(enumerate(REASONS_OF_PAYMENTS))
    reasons = {"declarations": declared, "pushes": declared, "payments": paid, "refunds": paid}
    closed = "FAIL: one; refused: another"
    with migrate.migration(engine) as made:
        command.upgrade(made, "0016")
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=[*reasons, "events"])
        for name, of_table in reasons.items():
            for number, reason in {**of_table, 99: None}.items():
                row = {"id": f"{number:02}", "case_reason": reason, "channel": "wechatpay"}
                known = {"payment_no": str(number), "out_order_no": str(number), "outer_refund_no": str(number)}
                enums = {"state": "FAIL", "identity": "MATCH"} if of_table is declared else {"status": "FAIL"}
                there = {key: value for key, value in (row | known | enums).items() if key in tables.tables[name].c}
                connection.execute(tables.tables[name].insert(), with_what_must_be(tables.tables[name], there))
        for number, detail in enumerate(({"action": "dismiss", "case": closed}, {"action": "QUERY"}), start=1):
            event = {"id": number, "detail": detail}
            connection.execute(tables.tables["events"].insert(), with_what_must_be(tables.tables["events"], event))

    migrate.upgrade(engine)

    with database.transaction(engine) as db:
        for model, cases in ((Declaration, CASES), (Push, CASES), (Payment, OF_PAYMENTS), (Refund, OF_PAYMENTS)):
            found = db.execute(select(model.case_kind, model.case_detail).order_by(model.id)).all()
            assert [tuple(one) for one in found] == [*cases, (None, None)]
        assert db.scalars(select(Event.detail).order_by(Event.id)).all() == [
            {"action": "dismiss", "cases": [{"kind": "FAIL", "explanation": "one; refused: another"}]},
            {"action": "QUERY"},
        ]
    with migrate.migration(engine) as made:
        command.downgrade(made, "0016")
    with engine.connect() as connection:
        for name, of_table in reasons.items():
            table = tables.tables[name]
            kept = connection.execute(select(table.c.case_reason).order_by(table.c.id)).scalars().all()
            assert kept == [*(one.replace("is refunded", "is to be refunded") for one in of_table.values()), None]
        kept = connection.execute(select(tables.tables["events"].c.detail).order_by(text("id"))).scalars().all()
        assert kept == [{"action": "dismiss", "case": closed}, {"action": "QUERY"}]


def with_what_must_be(table: Table, row: dict[str, object]) -> dict[str, object]:
    """The row, with something in every other column that may not be empty."""
    fillers = {String: str(row["id"]), Boolean: False, Numeric: 0, Integer: 0, DateTime: MORNING, JSON: {}}
    return {
        column.name: next(filler for kind, filler in fillers.items() if isinstance(column.type, kind))
        for column in table.columns
        if not column.nullable
    } | row


def test_events_and_subscriptions_under_earlier_names_have_todays(engine: Engine):
    at = {"created_at": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    events = (
        ("evt_1", "refund.ended", {"status": "SUCCESS"}, True),
        ("evt_2", "refund.ended", {"status": "FAIL"}, False),
        ("evt_3", "batch.attention", {}, False),
        ("evt_4", "payment.paid", {"status": "PAID"}, False),
    )
    subscribed = {"whe_1": None, "whe_2": ["payment.paid"], "whe_3": ["batch.attention", "refund.ended"]}
    with migrate.migration(engine) as made:
        command.upgrade(made, "0016")
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["announcements", "webhook_endpoints"])
        for id_, type_, data, waits in events:
            event = {"id": id_, "type": type_, "data": data, "unspread": waits}
            connection.execute(tables.tables["announcements"].insert(), event | at)
        for id_, types in subscribed.items():
            endpoint = {"id": id_, "url": "https://erp.example", "types": null() if types is None else types}
            rest = {"every_merchant": True, "owner": "key_1", "secret": "sealed", "failures": 0}
            connection.execute(tables.tables["webhook_endpoints"].insert(), endpoint | rest | at)

    migrate.upgrade(engine)

    with database.transaction(engine) as db:
        assert [(one.type, one.pending) for one in db.scalars(select(OutboxEvent).order_by(OutboxEvent.id))] == [
            ("refund.succeeded", True),
            ("refund.failed", False),
            ("batch.needs_attention", False),
            ("payment.paid", False),
        ]
        assert {one.id: one.types for one in db.scalars(select(Endpoint))} == {
            "whe_1": None,
            "whe_2": ["payment.paid"],
            "whe_3": ["batch.needs_attention", "refund.failed", "refund.succeeded"],
        }
    with migrate.migration(engine) as made:
        command.downgrade(made, "0016")
    with engine.connect() as connection:
        types = connection.execute(text("SELECT type FROM announcements ORDER BY id")).scalars().all()
        assert types == ["refund.ended", "refund.ended", "batch.attention", "payment.paid"]
        kept = connection.execute(select(tables.tables["webhook_endpoints"].c["id", "types"])).all()
        assert dict(map(tuple, kept)) == subscribed


def a_declaration(number: int, reason: str) -> dict[str, object]:
    """One that was cancelled before midnight in Shanghai, or one that needs somebody since some minutes after it."""
    at = datetime(2026, 11, 23, 16, 30 + number, tzinfo=UTC) if reason else datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    return {
        "decl": f"decl_{number}",
        "push": f"push_{number}",
        "payment": f"P{number}",
        "state": "SUCCESS" if reason and reason != REFUSED else "UNDECLARED",
        "case": bool(reason),
        "cancelled": not reason,
        "reason": reason or None,
        "at": at,
        "since": at if reason else None,
    }


def test_keys_belong_to_who_made_them_and_those_of_disabled_people_end(engine: Engine):
    with migrate.migration(engine) as made:
        command.upgrade(made, "0018")
    moment = datetime(2026, 11, 23, 8, tzinfo=UTC)
    people = {"per_1": None, "per_2": moment}
    makers = {"key_1": ("api_key.create", "per_1"), "key_2": ("api_key.rotate", "per_2"), "key_3": ("none", "per_2")}
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["people", "api_keys", "audit_entries"])
        person = {"name": "", "role": "admin", "password_hash": "", "must_change_password": False}
        for person_id, disabled_at in people.items():
            row = person | {"id": person_id, "login": person_id, "created_at": moment, "disabled_at": disabled_at}
            connection.execute(tables.tables["people"].insert(), row)
        for number, (key_id, (action, actor)) in enumerate(makers.items(), start=1):
            key = {"id": key_id, "family": key_id, "name": "", "digest": key_id, "created_at": moment}
            connection.execute(tables.tables["api_keys"].insert(), key)
            entry = {"number": number, "at": moment, "actor_id": actor, "actor": "", "action": action, "subject": ""}
            entry |= {"subject_id": key_id, "detail": {}, "previous": "", "hash": ""}
            connection.execute(tables.tables["audit_entries"].insert(), entry)

    migrate.upgrade(engine)

    with database.reading(engine) as db:
        keys = db.scalars(select(ApiKey).order_by(ApiKey.id)).all()
    assert [(key.created_by, key.revoked_at is None) for key in keys] == [
        ("per_1", True),
        ("per_2", False),
        (None, True),
    ]


def test_the_versions_are_one_line():
    script = ScriptDirectory.from_config(migrate.config(None))

    assert script.get_heads() == [schema_guard.newest_version()]
    assert len(script.get_bases()) == 1
