"""Templates keep to the width of everything else."""

from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "customs" / "web" / "templates"
LONGEST_LINE = 120


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_no_line_is_longer_than_a_line_of_code(file: Path):
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)

    assert {number: len(line) for number, line in lines if len(line) > LONGEST_LINE} == {}
