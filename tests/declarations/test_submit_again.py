"""`customs submit` of what it took before, and of a file that it takes in part: nothing is left out without a word."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from customs.cli.declarations import name_of, status, submit
from customs.container import Services
from tests.declarations.test_real_files import FILES, environment_of
from tests.imports.clerk import order_row
from tests.imports.spreadsheets import csv_text

FINDINGS = 2


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def environment(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_of(services).items():
        monkeypatch.setenv(name, value)


def submitted(file: Path, *options: str) -> Result:
    return CliRunner().invoke(submit, [str(file), *options])


def batch_in(ended: Result) -> str:
    """The batch that the last line names."""
    return ended.stdout.splitlines()[-1].split()[0]


@pytest.mark.usefixtures("environment")
def test_orders_handed_in_again_are_shown_with_their_time_and_batch():
    first = submitted(FILES / "68-duplicate-of-01-file.csv")
    again = submitted(FILES / "68b-same-again-later.csv")
    nothing_new = submitted(FILES / "68-duplicate-of-01-file.csv")

    assert (first.exit_code, again.exit_code, nothing_new.exit_code) == (0, 0, 0)
    for ended in (again, nothing_new):
        assert "2 submitted before, 20" in ended.stdout
        assert f"by operator in {batch_in(first)} 68-duplicate-of-01-file.csv" in ended.stdout
    assert "submitted before" not in first.stdout
    assert "3 declarations" in again.stdout


@pytest.mark.usefixtures("environment")
def test_refused_rows_are_shown_as_open_when_and_after_the_file_is_submitted(tmp_path: Path):
    file, left = tmp_path / "orders.csv", order_row(office="x")
    file.write_text(csv_text(order_row(), left), "utf-8")

    ended = submitted(file, "--accept-valid")
    later = CliRunner().invoke(status, [batch_in(ended)])

    assert ended.exit_code == FINDINGS
    for shown in (ended.stdout, later.stdout):
        assert f"1 not submitted: row 3 {left['out_order_no']}" in shown
    assert "open_rows 1" in later.stdout


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_a_file_s_name_is_read_as_an_archive_left_it(encoding: str):
    """One from a Chinese Windows leaves its names in GBK."""
    assert name_of(Path(os.fsdecode("订单.csv".encode(encoding)))) == "订单.csv"
