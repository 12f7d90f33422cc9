"""A slice of the simulation; `make simulation` plays as many seeds as one likes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.simulation.__main__ import narrated
from tests.simulation.plan import draw
from tests.simulation.stage import Play, players, stage

# Those that are cheap and have seen much; of the ones that take more than a day, one.
SEEDS = (1, 2, 3, 4, 6, 10, 11, 12, 13)
SEED_ON_POSTGRESQL = 3


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with stage("sqlite") as play:
        yield play


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_through_a_seeds_faults(play: Play, seed: int):
    story = play(draw(seed))

    assert story.wrongs == (), narrated(story)


def test_every_promise_holds_on_postgresql(migrated_cluster: Engine, tmp_path: Path):
    url = migrated_cluster.url.render_as_string(hide_password=False)

    with players(tmp_path, url) as play:
        story = play(draw(SEED_ON_POSTGRESQL))

    assert story.wrongs == (), narrated(story)


def test_a_seed_tells_the_same_story_again(play: Play):
    assert play(draw(4)) == play(draw(4))
