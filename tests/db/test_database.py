"""The database as both of ours keep it: exact money, aware times, one writer's transaction at a time."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError

from customs.container import Services
from customs.db import database
from customs.db.bulk import insert_many
from customs.db.database import lost_a_race
from customs.declarations.models import Push, SubOrder
from customs.gateway import money_text
from tests import make
from tests.patience import PATIENCE_SECONDS
from tests.product import Desk

SUB_ORDERS = database.Base.metadata.tables[SubOrder.__tablename__]
PUSHES = database.Base.metadata.tables[Push.__tablename__]

fen = st.decimals("0", "9999999999.99", places=2)
within_a_transaction = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def declaration_id(desk: Desk) -> str:
    return desk.declare(parts=1)


@pytest.fixture
def push_id(desk: Desk, declaration_id: str) -> str:
    return desk.push(declaration_id).id


# Money.


@within_a_transaction
@given(amount=fen, transport=fen)
def test_any_amount_with_two_places_survives_from_the_row_to_the_wire(
    services: Services, declaration_id: str, amount: Decimal, transport: Decimal
):
    texts = {"amount": f"{amount:f}", "transport_amount": f"{transport:f}"}
    (part,) = make.order(sub_orders=[make.sub_order_row() | texts]).sub_orders
    row = make.stored_part(declaration_id, amount=part.amount, transport_amount=part.transport_amount)

    with services.engine.begin() as db:
        insert_many(db, SUB_ORDERS, [row])
        columns = SUB_ORDERS.c.amount, SUB_ORDERS.c.transport_amount
        stored = db.execute(select(*columns).where(SUB_ORDERS.c.sub_order_no == row["sub_order_no"])).one()

    assert {"amount": money_text(stored[0]), "transport_amount": money_text(stored[1])} == texts


@within_a_transaction
@given(amounts=st.lists(fen, min_size=1, max_size=8))
def test_a_sum_of_amounts_is_exact(services: Services, declaration_id: str, amounts: list[Decimal]):
    with services.engine.begin() as db:
        own = SUB_ORDERS.c.sub_order_no.startswith("a part ")
        db.execute(delete(SUB_ORDERS).where(own))
        insert_many(db, SUB_ORDERS, [make.stored_part(declaration_id, amount=amount) for amount in amounts])
        summed = db.scalar(select(func.sum(SUB_ORDERS.c.amount)).where(own))

    assert summed == sum(amounts)


def test_a_third_place_is_never_rounded_away(services: Services, declaration_id: str):
    row = make.stored_part(declaration_id, amount=Decimal("0.001"))

    with services.engine.begin() as db:
        with pytest.raises((ValueError, StatementError)):
            insert_many(db, SUB_ORDERS, [row])
        with pytest.raises((ValueError, StatementError)):
            db.execute(SUB_ORDERS.insert().values(row))


# Times.


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30))])
def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(services: Services, push_id: str, zone: timezone):
    moment = datetime(2026, 11, 23, 23, 30, 0, 123_457, tzinfo=zone)

    with services.transaction() as db:
        db.get_one(Push, push_id).due_at = moment
    with services.reading() as db:
        kept = db.get_one(Push, push_id).due_at
        earlier = db.scalar(select(func.count()).where(Push.due_at < moment))

    assert (kept, kept.tzinfo, earlier) == (moment, UTC, 0)


def test_the_databases_clock_is_aware_and_goes_on(services: Services):
    clock = database.DatabaseClock()

    with services.engine.begin() as db:
        read = [clock(db) for _ in range(100)]
        now = database.now(db)

    assert read == sorted(read)
    assert read[0].tzinfo is UTC
    # The same clock: what lies between the two readings is what the machine took for them.
    assert abs(now - read[-1]) < timedelta(seconds=PATIENCE_SECONDS)


# Transactions.


def test_what_failed_half_way_has_left_nothing(services: Services, desk: Desk):
    desk.declare()

    with pytest.raises(ZeroDivisionError), services.transaction() as db:
        db.execute(PUSHES.update().values(failed_attempts=7))
        raise ZeroDivisionError

    with services.reading() as db:
        assert db.scalars(select(Push.failed_attempts)).all() == [0]


def test_a_reader_sees_one_state_of_the_world_and_never_waits_for_a_writer(services: Services, desk: Desk):
    desk.declare()
    began, done = threading.Event(), threading.Event()

    def write() -> None:
        with services.transaction() as db:
            db.execute(PUSHES.update().values(failed_attempts=7))
            began.set()
            done.wait(5)

    writer = threading.Thread(target=write)
    writer.start()
    assert began.wait(5)
    with services.reading() as db:
        seen = db.scalars(select(Push.failed_attempts)).all()
    done.set()
    writer.join()

    assert seen == [0]


def test_what_one_reader_asks_twice_is_answered_alike_whatever_is_written_in_between(services: Services, desk: Desk):
    desk.declare()

    with services.reading() as db:
        first = db.scalars(select(Push.failed_attempts)).all()
        with services.transaction() as writer:
            writer.execute(PUSHES.update().values(failed_attempts=7))
        second = db.scalars(select(Push.failed_attempts)).all()

    assert (first, second) == ([0], [0])


def test_a_process_that_stands_still_in_a_transaction_is_put_out_before_others_give_up(migrated_cluster: Engine):
    def seconds(db: Connection, name: str) -> int:
        return int(db.exec_driver_sql(f"SELECT extract(epoch FROM current_setting('{name}')::interval)").scalar_one())

    with migrated_cluster.connect() as db:
        frozen, waiting = seconds(db, "idle_in_transaction_session_timeout"), seconds(db, "lock_timeout")

    assert 0 < frozen < waiting < 60


def test_two_who_read_and_then_write_come_one_after_the_other(services: Services, desk: Desk):
    declaration_id = desk.declare()

    def add_ten() -> None:
        for _ in range(10):
            with services.transaction() as db:
                locked = select(Push).where(Push.declaration_id == declaration_id).with_for_update()
                db.scalars(locked).one().failed_attempts += 1

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert desk.push(declaration_id).failed_attempts == 40


def test_an_error_of_the_database_shows_no_row(services: Services):
    with pytest.raises(DBAPIError) as failed, services.transaction() as db:
        db.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "李雷"})

    assert "李雷" not in str(failed.value)
    assert not lost_a_race(failed.value)


def test_connections_that_come_to_a_new_file_at_once_all_open_it(tmp_path: Path):
    for number in range(100):
        engines = [database.connect(f"sqlite:///{tmp_path / str(number)}") for _ in range(4)]
        together = threading.Barrier(len(engines))

        def journal_mode(engine: Engine, together: threading.Barrier = together) -> str:
            together.wait(PATIENCE_SECONDS)
            with engine.begin() as db:
                return str(db.exec_driver_sql("PRAGMA journal_mode").scalar())

        with ThreadPoolExecutor(len(engines)) as pool:
            modes = list(pool.map(journal_mode, engines))
        for engine in engines:
            engine.dispose()

        assert modes == ["wal"] * len(engines)


def test_sqlite_is_durable_and_keeps_its_references(sqlite_url: str):
    engine = database.connect(sqlite_url)

    with engine.begin() as db:
        kept = {name: db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
        keys = db.exec_driver_sql("PRAGMA foreign_keys").scalar()
    engine.dispose()

    assert (kept, keys) == ({"journal_mode": "wal", "synchronous": 2}, 1)


def test_a_server_that_hangs_is_waited_for_once_and_then_left_alone():
    """As one that was stopped: it takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        engine = database.connect(f"postgresql+psycopg://customs@127.0.0.1:{mute.getsockname()[1]}/customs")
        for _ in range(20):
            with pytest.raises(OperationalError) as failed:
                engine.connect()

        assert database.is_away(failed.value)
        assert "a moment ago" in str(failed.value)
