"""`python -m tests.mutants [WORD...]`: let each mutant's tests run on a copy of the tree; exit 1 when one survives."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
TREES = ("customs", "workers", "migrations", "tests")
FILES = ("pyproject.toml", "README.md", "Makefile", "requirements.lock")
# One test that never ends is one that noticed.
PATIENCE_SECONDS = 600
NOTICED = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose names hold one of these")
    parser.add_argument("--jobs", type=int, default=max((os.cpu_count() or 2) - 1, 1))
    asked = parser.parse_args()
    chosen = [one for one in MUTANTS if not asked.words or any(word in one.name for word in asked.words)]
    with ThreadPoolExecutor(asked.jobs) as pool:
        survivors = [
            mutant for mutant, caught in zip(chosen, pool.map(caught_by_tests, chosen), strict=True) if not caught
        ]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants were caught")
    return 1 if survivors else 0


def caught_by_tests(mutant: Mutant) -> bool:
    """Whether a test fails on a copy of the tree with this one mistake in it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        tree = Path(folder)
        _copy(tree)
        file = tree / mutant.file
        file.write_text(mutated(mutant, file.read_text(encoding="utf-8")), encoding="utf-8")
        status, words = _test(tree, mutant)
    caught = status == NOTICED
    print(
        f"{'caught' if caught else 'SURVIVED'}  {time.monotonic() - began:5.1f} s  {mutant.name}  {words}", flush=True
    )
    return caught


def mutated(mutant: Mutant, text: str) -> str:
    if text.count(mutant.search) != 1:
        raise ValueError(f"{mutant.name}: its text stands {text.count(mutant.search)} times in {mutant.file}")
    return text.replace(mutant.search, mutant.replacement)


def _copy(tree: Path) -> None:
    for name in TREES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)


def _test(tree: Path, mutant: Mutant) -> tuple[int, str]:
    """Pytest's exit status, and which test noticed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(tree)}
    try:
        ran = subprocess.run(
            [*command, *mutant.tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return NOTICED, "the tests never ended"
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    words = failed[0][:110] if failed else f"pytest ended with {ran.returncode}"
    return ran.returncode, words


if __name__ == "__main__":
    sys.exit(main())
