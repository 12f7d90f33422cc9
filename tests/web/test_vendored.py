"""What others made and we serve: unchanged, with its licence, and doing without what the pages' policy forbids."""

import ast
import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.web.rendering import STATIC, servable

CUSTOMS = Path(__file__).parents[2] / "customs"
FOLDERS = sorted(file.parent for file in STATIC.glob("*/vendored.toml"))
OWN = {"docs.css", "desk.css", "desk.js", "charts.js", "mark.svg"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_was_taken_over_is_what_it_says(folder: Path):
    response = tomllib.loads((folder / "vendored.toml").read_text())

    leased = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "vendored.toml"
    }

    assert {"name", "version", "licence"} <= response.keys()
    assert "LICENSE" in leased
    assert leased == response["sha256"]
    assert response.get("from", leased).keys() == leased.keys()


def test_nothing_is_served_of_which_nobody_says_where_it_comes_from():
    known = {folder.name for folder in FOLDERS}

    assert {name for name in servable() if name.partition("/")[0] not in known} <= OWN


@pytest.mark.parametrize("name", ["htmx/htmx.min.js", "bootstrap/bootstrap.min.css", "echarts/echarts.simple.min.js"])
def test_what_the_desk_is_made_of_fetches_nothing_from_elsewhere(name: str):
    text = (STATIC / name).read_text()

    asked = re.findall(r"url\(\s*[\"']?([^\"')]*)|@import|importScripts|\bimport\(", text)

    assert all(address.startswith("data:image/") for address in asked)


def test_every_icon_stands_once_and_in_order():
    lines = (STATIC / "bootstrap-icons" / "icons.svg").read_text().splitlines()

    names = re.findall(r'<symbol class="bi bi-[\w-]+" viewBox="0 0 16 16" id="([\w-]+)">', "\n".join(lines))

    assert len(names) == len(lines) - 2
    assert names == sorted(set(names))


def test_every_icon_that_is_shown_is_among_those_taken_over():
    sprite = (STATIC / "bootstrap-icons" / "icons.svg").read_text()

    shown = {*shown_by_templates(), *named_in_python()}

    assert shown
    assert shown - set(re.findall(r' id="([\w-]+)"', sprite)) == set()


def shown_by_templates() -> Iterator[str]:
    for file in (CUSTOMS / "web" / "templates").rglob("*.html"):
        for call in re.findall(r"\b(?:icon|empty)\(('[\w-]+'(?: if [^()]*? else '[\w-]+')?)", file.read_text()):
            yield from re.findall(r"(?:^|else )'([\w-]+)'", call)


def named_in_python() -> Iterator[str]:
    """The icons in tables of labels and places: `Label(word, icon, tone)`, `Place(key, path, icon, ...)`."""
    where = {"Label": 1, "Place": 2}
    for file in CUSTOMS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in where:
                at = where[node.func.id]
                yield from (str(icon.value) for icon in node.args[at : at + 1] if isinstance(icon, ast.Constant))
