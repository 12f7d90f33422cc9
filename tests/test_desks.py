"""Several desks as one: fair claims, and every task back at the desk it came from."""

from itertools import pairwise

import pytest

from customs.desks import Desks
from customs.engine import Engine


class Counted:
    """A desk with so many tasks, named after it; it notes all that it is asked."""

    def __init__(self, name: str, tasks: int) -> None:
        self.name = name
        self.waiting = [f"{name}{number}" for number in range(tasks)]
        self.recorded: list[tuple[str, str]] = []
        self.renewed: list[str] = []
        self.given_back: list[str] = []

    def claim(self, room: int) -> list[str]:
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        return taken

    def exchange(self, answered, leaving):
        assert answered or leaving, "a transaction about nothing"
        self.recorded += answered
        return list(leaving)

    def call(self, task: str) -> str:
        return task.upper()

    def renew(self, held) -> None:
        self.renewed += held

    def give_back(self, reserved) -> None:
        self.given_back += reserved


def claimed(desks: Desks, room: int) -> dict[int, int]:
    tasks = desks.claim(room)
    return {number: sum(owned.desk == number for owned in tasks) for number in {owned.desk for owned in tasks}}


@pytest.mark.parametrize(
    ("waiting", "room", "shares"),
    [
        ((10, 10), 8, {0: 4, 1: 4}),
        ((1000, 2), 8, {0: 6, 1: 2}),
        ((2, 1000), 8, {0: 2, 1: 6}),
        ((0, 1000), 8, {1: 8}),
        ((3, 4), 100, {0: 3, 1: 4}),
        ((0, 0), 8, {}),
        ((10, 10), 0, {}),
        ((10, 10, 10), 9, {0: 3, 1: 3, 2: 3}),
        ((10, 1, 10), 9, {0: 4, 1: 1, 2: 4}),
    ],
)
def test_each_desk_gets_its_share_and_leaves_the_rest_to_others(
    waiting: tuple[int, ...], room: int, shares: dict[int, int]
):
    desks = Desks(*(Counted(f"desk{number} ", tasks) for number, tasks in enumerate(waiting)))

    assert claimed(desks, room) == shares


def test_never_more_than_there_is_room_for():
    desks = Desks(Counted("a", 100), Counted("b", 100), Counted("c", 100))

    assert [len(desks.claim(room)) for room in range(12)] == list(range(12))


def test_with_room_for_one_the_desks_take_turns():
    desks = Desks(Counted("a", 5), Counted("b", 5))

    turns = [desks.claim(1)[0].desk for _ in range(6)]

    assert sorted(turns) == [0, 0, 0, 1, 1, 1]
    assert all(one != other for one, other in pairwise(turns))


def test_no_task_is_lost_or_claimed_twice():
    first, second = Counted("a", 17), Counted("b", 5)
    desks = Desks(first, second)

    tasks = [owned.task for _ in range(10) for owned in desks.claim(4)]

    assert sorted(tasks) == sorted([f"a{n}" for n in range(17)] + [f"b{n}" for n in range(5)])


def test_every_task_goes_back_to_its_own_desk():
    first, second = Counted("a", 2), Counted("b", 2)
    desks = Desks(first, second)
    tasks = desks.claim(4)

    desks.renew(tasks)
    desks.give_back(tasks)

    assert (first.renewed, second.renewed) == (["a0", "a1"], ["b0", "b1"])
    assert (first.given_back, second.given_back) == (["a0", "a1"], ["b0", "b1"])


def test_a_desk_with_nothing_to_do_is_not_asked():
    desks = Desks(Counted("a", 2), Counted("b", 0))

    allowed = desks.exchange([], desks.claim(4))

    assert [owned.task for owned in allowed] == ["a0", "a1"]


def test_one_engine_serves_all_desks():
    first, second = Counted("a", 30), Counted("b", 20)
    engine = Engine(Desks(first, second), 4)

    recorded = engine.drain(30.0)
    engine.close()

    assert recorded == 50
    assert sorted(first.recorded) == sorted((f"a{n}", f"A{n}") for n in range(30))
    assert sorted(second.recorded) == sorted((f"b{n}", f"B{n}") for n in range(20))
