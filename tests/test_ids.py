"""Ids: opaque, told apart by their prefix, and sorted by time."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from customs.ids import new_id


def test_an_id_says_what_it_is_and_fits_its_column():
    one = new_id("decl")

    assert re.fullmatch(r"decl_[0-9a-f]{32}", one)
    assert len(new_id("batch")) <= 40


def test_ids_sort_in_the_order_of_their_making():
    made = [new_id("x") for _ in range(10_000)]

    assert made == sorted(set(made))


def test_ids_of_many_threads_are_all_different():
    with ThreadPoolExecutor(4) as pool:
        made = [one for group in pool.map(lambda _: [new_id("x") for _ in range(2_000)], range(4)) for one in group]

    assert len(set(made)) == 8_000


def test_an_id_begins_with_its_milliseconds():
    before = time.time_ns() // 1_000_000

    milliseconds = int(new_id("x")[2:14], 16)

    assert before - 5 <= milliseconds <= time.time_ns() // 1_000_000 + 5


def test_nobody_can_guess_the_next():
    numbers = [int(new_id("x").removeprefix("x_"), 16) for _ in range(50)]

    steps = {later - earlier for earlier, later in pairwise(numbers)}

    assert len(steps) > 40
