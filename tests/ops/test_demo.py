"""The sample batch is what it claims to be, and the demonstration declares it to its end and leaves nothing behind."""

import os
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services
from customs.declarations.fields import FIELDS
from customs.declarations.offices import OFFICES, codes_for
from customs.declarations.reading import queries
from customs.gateway import Channel
from customs.imports.sample_orders import sample_batch
from customs.imports.sample_stories import PLOTS
from customs.imports.sheet import read_sheet
from customs.ops import migrate
from customs.ops.demo import Clerk, submit
from customs.sandbox import declaration_scenarios, faults

TAG = "261123143015"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A desk with a database, and nobody who works."""
    services = Services(read_settings({"CUSTOMS_HOME": str(tmp_path)}))
    migrate.upgrade(services.engine)
    yield services
    services.engine.dispose()


def test_the_sample_looks_like_a_warehouse_s_file():
    content = sample_batch(tag=TAG).content

    with pytest.raises(UnicodeDecodeError):
        content.decode()
    header, *lines = content.decode("gb18030").splitlines()
    assert header.split(",") == [column.chinese for column in FIELDS]
    assert len(lines) >= 60
    text = "".join(lines)
    assert "·" in text
    assert any(ord(character) > 0x20000 and unicodedata.category(character) == "Lo" for character in text)
    assert "MARIA DE SOUZA" in text


def test_the_sample_shows_every_office_of_each_channel_and_those_with_two_codes_twice():
    shown = Counter((expected.channel, expected.office) for expected in sample_batch(tag=TAG).expected)

    for office in OFFICES:
        for channel in Channel:
            codes = codes_for(channel, office)
            assert shown[channel, office] >= len(codes), (channel, office)


def test_the_sample_splits_orders_in_two_and_in_three_through_both_channels():
    sheet = read_sheet(sample_batch(tag=TAG).content, "sample.csv")

    splits = {(order["channel"], len(order["sub_orders"])) for order in sheet.declarations if "sub_orders" in order}

    assert splits == {(channel, parts) for channel in Channel for parts in (2, 3)}


@pytest.mark.parametrize("plot", [plot for plot in PLOTS if plot.word], ids=lambda plot: f"{plot.channel}-{plot.word}")
def test_the_sandbox_knows_the_word_of_each_story(plot):
    number = f"{TAG}0001-{plot.word}"

    assert declaration_scenarios.WORDS.found(number) or faults.WORDS.found(number)


@pytest.mark.parametrize("rows", [1, 7, len(PLOTS), 150])
def test_a_sample_of_any_size_is_taken_in_without_a_finding(services, rows):
    sample = sample_batch(rows, tag=TAG)

    batch_id = submit(services, sample)

    with services.reading() as db:
        batch = queries.batch_of(db, batch_id, operator())
        progress = queries.progress_of(db, batch_id)
    assert (batch.findings, progress.total, len(sample.expected)) == ([], rows, rows)


def test_another_tag_makes_another_batch(services):
    first = submit(services, sample_batch(3, tag="A"))

    second = submit(services, sample_batch(3, tag="B"))

    with services.reading() as db:
        assert [queries.replays_of(db, batch_id) for batch_id in (first, second)] == [[], []]


def test_an_order_that_did_not_end_is_not_called_right(services):
    sample = sample_batch(3, tag=TAG)
    clerk = Clerk(services, sample, submit(services, sample))

    clerk.work(time.monotonic(), lambda right, states: None)

    assert [ending.right for ending in clerk.endings()] == [False, False, False]


def test_the_demonstration_ends_as_the_sample_says_whatever_desk_the_shell_is_set_to():
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = {"CUSTOMS_DATABASE_URL": "postgresql://nowhere/none", "WISECASHIER_BASE_URL": "http://127.0.0.1:9"}
        command = [sys.executable, "-m", "customs", "demo", "--rows", "7"]

        done = subprocess.run(
            command, env={**os.environ, **elsewhere, "TMPDIR": folder}, capture_output=True, text=True, timeout=120
        )

        assert done.returncode == 0, done.stdout + done.stderr
        assert "7 of 7 declarations ended as the sample says" in done.stdout
        assert "EXCEPT → redeclare" in done.stdout
        assert "FAIL → modify" in done.stdout
        assert list(Path(folder).iterdir()) == []
