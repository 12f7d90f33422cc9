"""No file of the repository tells of one machine, a package index or somebody's folder."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

NOT_OWN = {"__pycache__", "results"}
OUTSIDE = re.compile(
    r"pypi\.org|pythonhosted\.org|index-ur[l]|ghcr\.io|quay\.io|gcr\.io|docker\.io|mirrors?\.[a-z]+\.[a-z]"
    r"|/hom[e]/[a-z]|/roo[t]/|/Use[r]s/|/wor[k]/|/mn[t]/|[A-Z]:\\Use[r]s",
)


def own_files() -> Iterator[Path]:
    """What a fresh clone holds."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OWN and not name.endswith(".egg-info") and (name == ".ci" or not name.startswith("."))
        ]
        # Of a second working tree, .git is a file.
        yield from (Path(folder, name) for name in names if name != ".git")


def test_no_file_names_an_index_a_registry_or_somebodys_folder() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in own_files()
        for match in OUTSIDE.finditer(file.read_bytes().decode(errors="replace"))
    ]

    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_exact_versions_with_hashes_and_no_address(name: str) -> None:
    lock = (ROOT / name).read_text()

    lines = [line for line in lock.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    required = [line for line in lines if line != "-r requirements.lock"]
    wrong = [
        line[:60] for line in required if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert required
    assert wrong == []
    assert "://" not in lock


def test_every_picture_is_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())

    assert pictures
    assert [file.name for file in pictures if file.suffix != ".png" or file.stat().st_size > 150_000] == []


def test_every_file_that_the_product_reads_is_installed_with_it() -> None:
    customs = ROOT / "customs"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["customs"]

    # Of `**` alone, setuptools takes files and pathlib folders.
    installed = {file for pattern in patterns for file in customs.glob(pattern.replace("**", "**/*"))}
    read = {file for file in own_files() if customs in file.parents and file.suffix != ".py"}
    assert read - installed == set()
