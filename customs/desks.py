"""Several desks as one, so that one engine's threads serve declarations, payments and refunds alike."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from customs.engine import Desk


class Owned(NamedTuple):
    """A task and the desk it came from."""

    desk: int
    task: Hashable


class Desks:
    """Each desk claims its share, and what one leaves the others take: no long queue starves another desk."""

    def __init__(self, *desks: Desk[Any, Any]) -> None:
        self._desks = desks
        self._first = 0

    def claim(self, room: int) -> list[Owned]:
        claimed: list[Owned] = []
        self._first = (self._first + 1) % len(self._desks)
        hungry = [(self._first + step) % len(self._desks) for step in range(len(self._desks))]
        while hungry and len(claimed) < room:
            share = -(-(room - len(claimed)) // len(hungry))
            for number in list(hungry):
                wanted = min(share, room - len(claimed))
                tasks = self._desks[number].claim(wanted) if wanted else []
                claimed += [Owned(number, task) for task in tasks]
                if len(tasks) < wanted:
                    hungry.remove(number)
        return claimed

    def exchange(self, answered: Sequence[tuple[Owned, Any]], leaving: Sequence[Owned]) -> list[Owned]:
        allowed: list[Owned] = []
        for number, desk in enumerate(self._desks):
            theirs = [(owned.task, answer) for owned, answer in answered if owned.desk == number]
            going = [owned.task for owned in leaving if owned.desk == number]
            if theirs or going:
                allowed += [Owned(number, task) for task in desk.exchange(theirs, going)]
        return allowed

    def call(self, owned: Owned) -> Any:
        return self._desks[owned.desk].call(owned.task)

    def renew(self, held: Sequence[Owned]) -> None:
        for number, desk in enumerate(self._desks):
            if theirs := [owned.task for owned in held if owned.desk == number]:
                desk.renew(theirs)

    def give_back(self, reserved: Sequence[Owned]) -> None:
        for number, desk in enumerate(self._desks):
            if theirs := [owned.task for owned in reserved if owned.desk == number]:
                desk.give_back(theirs)
