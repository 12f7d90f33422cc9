"""`python -m tests.mutants [WORD...]`: let each mutant's tests run on a copy of the tree; exit 1 when one survives."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
TREES = ("customs", "workers", "migrations", "tests")
FILES = ("pyproject.toml", "README.md", "Makefile", "requirements.lock", "requirements-dev.lock", "setup.py")
# One test that never ends is one that noticed.
PATIENCE_SECONDS = 240
NOTICED = 1
RUNNING: set[subprocess.Popen[str]] = set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose names hold one of these")
    parser.add_argument("--jobs", type=int, default=max((os.cpu_count() or 2) - 1, 1))
    asked = parser.parse_args()
    chosen = [one for one in MUTANTS if not asked.words or any(word in one.name for word in asked.words)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    pool = ThreadPoolExecutor(asked.jobs)
    try:
        caught = list(pool.map(caught_by_tests, chosen))
    finally:
        # When somebody stops it: what runs ends, what waits does not begin, and no copy stays behind.
        for process in tuple(RUNNING):
            os.killpg(process.pid, signal.SIGTERM)
        pool.shutdown(cancel_futures=True)
    survivors = [mutant for mutant, was_caught in zip(chosen, caught, strict=True) if not was_caught]
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
        # With what was compiled: only the mutant's file is compiled anew.
        shutil.copytree(ROOT / name, tree / name)
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)


def _test(tree: Path, mutant: Mutant) -> tuple[int, str]:
    """Pytest's exit status, and which test noticed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(tree)}
    with subprocess.Popen(
        [*command, *mutant.tests],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        RUNNING.add(process)
        try:
            reported, _ = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return NOTICED, "the tests never ended"
        finally:
            RUNNING.discard(process)
    failed = [line for line in reported.splitlines() if line.startswith(("FAILED", "ERROR"))]
    words = failed[0][:110] if failed else f"pytest ended with {process.returncode}"
    return process.returncode, words


if __name__ == "__main__":
    sys.exit(main())
