"""Tallies add up, whoever adds: threads of one process and processes of many hosts at the same time."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from customs.container import Services
from customs.stats.call_counters import SLOTS
from customs.stats.tallies import ALL_TIME, Tally, TallyKey, apply_deltas, day_of

TODAY = date(2026, 11, 23)


def key(word: str, day: date = TODAY) -> TallyKey:
    return TallyKey("state", day, "M100", "alipay", "SHENZHEN", word)


def sums(services: Services) -> dict[str, int]:
    with services.reading() as db:
        rows = db.execute(select(Tally.word, func.sum(Tally.count)).group_by(Tally.word))
        return {word: int(count) for word, count in rows}


def test_what_is_added_adds_up_and_what_is_nothing_leaves_no_row(services: Services):
    for deltas in ({key("a"): 2, key("b"): 1}, {key("a"): -1, key("b"): -1, key("c"): 0}, {}):
        with services.transaction() as db:
            apply_deltas(db, deltas)

    assert sums(services) == {"a": 1, "b": 0}


def test_each_day_and_all_days_are_apart(services: Services):
    with services.transaction() as db:
        apply_deltas(db, {key("a"): 1, key("a", ALL_TIME): 5})

    with services.reading() as db:
        assert dict(db.execute(select(Tally.day, Tally.count)).all()) == {TODAY: 1, ALL_TIME: 5}


def test_many_at_once_lose_nothing_and_wait_for_nobody_forever(services: Services):
    words = [f"word {number}" for number in range(20)]

    def add(seed: int) -> Counter[str]:
        chance, added = random.Random(seed), Counter[str]()
        for _ in range(15):
            deltas = Counter(chance.choices(words, k=12))
            with services.transaction() as db:
                apply_deltas(db, {key(word): count for word, count in deltas.items()})
            added.update(deltas)
        return added

    with ThreadPoolExecutor(6) as pool:
        added = sum(pool.map(add, range(6)), Counter[str]())

    assert sums(services) == added
    with services.reading() as db:
        assert set(db.scalars(select(Tally.slot))) <= set(range(SLOTS))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(moment: datetime, day: date):
    assert day_of(moment) == day
