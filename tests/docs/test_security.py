"""The tables of security requirements: each of ASVS 5.0, levels 1 and 2, stands there once, with tests that exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.documents import ROOT, SECURITY

# The last requirement of each section that is of level 1 or 2; within a section those of level 3 come last.
LAST = {
    "1.1": 2,
    "1.2": 9,
    "1.3": 11,
    "1.4": 3,
    "1.5": 2,
    "2.1": 3,
    "2.2": 3,
    "2.3": 4,
    "2.4": 1,
    "3.2": 2,
    "3.3": 4,
    "3.4": 6,
    "3.5": 5,
    "3.7": 2,
    "4.1": 3,
    "4.2": 1,
    "4.3": 2,
    "4.4": 4,
    "5.1": 1,
    "5.2": 3,
    "5.3": 2,
    "5.4": 3,
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 2,
    "10.3": 4,
    "10.4": 11,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
    "11.1": 2,
    "11.2": 3,
    "11.3": 3,
    "11.4": 4,
    "11.5": 1,
    "11.6": 1,
    "12.1": 3,
    "12.2": 2,
    "12.3": 4,
    "13.1": 1,
    "13.2": 5,
    "13.3": 2,
    "13.4": 5,
    "14.1": 2,
    "14.2": 4,
    "14.3": 3,
    "15.1": 3,
    "15.2": 3,
    "15.3": 7,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 3,
    "17.1": 1,
    "17.2": 4,
    "17.3": 2,
}
REASONS = ("Not applicable", "Documented", "Deployment", "Open")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in SECURITY.prose.splitlines()
    if re.match(r"\| \d+\.\d+\.\d", line)
]


def requirements(cell: str) -> Iterator[str]:
    """What a first cell names: `1.2.6-1.2.8` is three of them."""
    for word in cell.split():
        first, _, last = word.partition("-")
        section, _, number = first.rpartition(".")
        for one in range(int(number), int((last or first).rpartition(".")[2]) + 1):
            yield f"{section}.{one}"


def test_every_requirement_of_the_first_two_levels_stands_in_the_table_once():
    demanded = [f"{section}.{number}" for section, last in LAST.items() for number in range(1, last + 1)]

    assert len(demanded) == 253
    assert sorted(one for row in ROWS for one in requirements(row[0])) == sorted(demanded)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_requirement_names_tests_that_exist_or_the_reason_why_not(row: list[str]):
    _, how, kept_by = row
    named = re.findall(r"`([^`]+)`", kept_by)

    assert [one for one in named if one.partition("::")[2] not in names_of_tests(one.partition("::")[0])] == []
    assert named or (kept_by == "-" and re.search("|".join(REASONS), how, re.IGNORECASE))


@cache
def names_of_tests(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
