"""A batch that stands still is announced: once, whoever ended it, and again when it moved meanwhile."""

from sqlalchemy import select

from customs.declarations.models import Declaration
from customs.events.outbox import EventType
from tests import make
from tests.payments.till import at_once
from tests.product import Desk
from tests.webhooks.courier import Courier


def published(courier: Courier) -> list[tuple[str, str]]:
    """What was said of batches."""
    while courier.fan_out():
        pass
    return [(one.type, one.batch_id) for one in courier.announced() if one.type.startswith("batch.")]


def test_a_batch_is_done_when_its_last_declaration_ended(desk: Desk, courier: Courier):
    batch = desk.take_in(make.declaration_row(), make.declaration_row())
    first, second = desk.send(desk.claim())

    desk.answer((first, make.reply("SUCCESS", desk.now)))
    reported_before = published(courier)
    desk.answer((second, make.reply("SUCCESS", desk.now)))

    assert reported_before == []
    assert published(courier) == [("batch.done", batch.id)]
    assert courier.announced()[-1].data == {
        "batch_id": batch.id,
        "state": "DONE",
        "total": 2,
        "needs_review": 0,
        "cancelled": 0,
        "open_rows": 0,
    }


def test_a_batch_with_a_failure_asks_for_attention_and_is_done_when_that_was_mended(desk: Desk, courier: Courier):
    declaration_id = desk.declare()
    batch_id = desk.declaration(declaration_id).batch_id
    desk.end(declaration_id, "EXCEPT")
    published_first = published(courier)
    desk.wait(minutes=10)

    desk.decide("redeclare", declaration_id)
    desk.end(declaration_id)

    assert published_first == [("batch.needs_attention", batch_id)]
    assert published(courier) == [("batch.needs_attention", batch_id), ("batch.done", batch_id)]


def test_a_part_that_fails_first_does_not_keep_its_batch_from_ending(desk: Desk, courier: Courier):
    batch = desk.take_in(make.declaration_row(parts=2))
    first, second = desk.send(desk.claim())

    desk.answer((first, make.reply("FAIL", desk.now)))
    reported_before = published(courier)
    desk.answer((second, make.reply("SUCCESS", desk.now)))

    assert reported_before == []
    assert published(courier) == [("batch.needs_attention", batch.id)]


def test_of_two_processes_that_see_a_batch_end_one_tells(desk: Desk, courier: Courier):
    batch = desk.take_in(*(make.declaration_row() for _ in range(8)))
    tasks = desk.send(desk.claim())
    spreading = [courier.desk() for _ in range(4)]

    at_once(
        *(lambda task=task: desk.answer((task, make.reply("SUCCESS", desk.now))) for task in tasks),
        *(one.fan_out for one in spreading),
    )
    at_once(*(one.fan_out for one in spreading))

    assert published(courier) == [("batch.done", batch.id)]


def test_a_batch_that_names_declarations_again_ends_with_them(desk: Desk, courier: Courier):
    row = make.declaration_row()
    first, again = desk.take_in(row), desk.take_in(row)

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert sorted(published(courier)) == sorted([("batch.done", first.id), ("batch.done", again.id)])


def test_a_cancelled_declaration_may_be_what_its_batch_waited_for(desk: Desk, courier: Courier):
    declaration_id = desk.declare()

    desk.decide("cancel", declaration_id)

    assert [kind for kind, _ in published(courier)] == ["batch.done"]


def test_each_run_that_ends_is_reported_once_however_many_look(desk: Desk, courier: Courier):
    batch = desk.take_in(*(make.declaration_row() for _ in range(4)))
    desk.work(lambda _: make.reply("EXCEPT", desk.now))
    published_first = published(courier)
    desk.wait(minutes=10)
    looking = [courier.desk() for _ in range(4)]

    at_once(
        *(lambda one=one: desk.decide("redeclare", one) for one in ids_of(desk, batch.id)),
        *(one.fan_out for one in looking),
    )
    tasks = desk.send(desk.claim())
    at_once(
        *(lambda task=task: desk.answer((task, make.reply("EXCEPT", desk.now))) for task in tasks),
        *(one.fan_out for one in looking),
    )
    at_once(*(one.fan_out for one in looking))

    assert published_first == [("batch.needs_attention", batch.id)]
    assert published(courier) == 2 * published_first


def ids_of(desk: Desk, batch_id: str) -> list[str]:
    with desk.services.reading() as db:
        return list(db.scalars(select(Declaration.id).where(Declaration.batch_id == batch_id)))


def test_only_who_may_touch_every_merchant_of_a_batch_is_reported_of_it(desk: Desk, courier: Courier):
    one, both = make.caller("M1"), make.caller("M1", "M2")
    for_one = courier.listen("http://127.0.0.1:9/", EventType.BATCH_DONE, by=one)
    for_both = courier.listen("http://127.0.0.1:9/", EventType.BATCH_DONE, by=both)
    desk.take_in(make.declaration_row(merchant_no="M1"), make.declaration_row(merchant_no="M2"))

    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    courier.fan_out()

    assert len(courier.deliveries(for_both)) == 1
    assert courier.deliveries(for_one) == []
