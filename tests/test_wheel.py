"""The wheel alone, in an empty environment outside the checkout, is the whole product."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from customs.ops.supervisor import free_port
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import started, wait_until

ROOT = Path(__file__).parents[1]
SOURCES = ("customs", "workers", "migrations", "pyproject.toml", "setup.py", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves folders behind."""
    copy, wheels = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", wheels, "."], cwd=copy, check=True)
    (built,) = wheels.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with this wheel and what it depends on, and no checkout."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The dependencies, without the checkout: files of paths are not read in folders that such a file names.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def ran(programs: Path, *words: str, home: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a command of the installed product in an empty folder; return what it printed."""
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [programs / "customs", *words],
        cwd=home,
        env=clean_environ() | {"CUSTOMS_HOME": str(home)} | (environ or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_but_customs_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"customs"}
    assert {
        "customs/py.typed",
        "customs/bundled/workers/__main__.py",
        "customs/bundled/migrations/env.py",
        "customs/bundled/migrations/versions/0001_batches_declarations_pushes.py",
        "customs/web/translations/zh_CN/LC_MESSAGES/messages.po",
        "customs/web/error_catalog.toml",
    } <= set(names)
    assert [name for name in names if name.endswith("/LICENSE") and ".dist-info/" in name]


def test_it_says_its_version(programs: Path, tmp_path: Path) -> None:
    code = (
        "import customs; from importlib.util import find_spec;"
        " print(customs.__file__, find_spec('workers'), find_spec('migrations'))"
    )
    where = subprocess.run([programs / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ran(programs, "--version", home=tmp_path / "home").startswith("customs 0.")
    file, workers, migrations = where.stdout.split()
    assert Path(file).is_relative_to(programs.parent)
    assert (workers, migrations) == ("None", "None")


def test_it_declares_the_sample_to_its_end(programs: Path, tmp_path: Path) -> None:
    assert "SUCCESS" in ran(programs, "demo", "--rows", "3", home=tmp_path / "home")


def test_it_speaks_chinese_and_has_its_pages_whole(programs: Path, tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port(0)
    ran(programs, "db", "upgrade", home=home)
    environ = clean_environ() | {"CUSTOMS_HOME": str(home)}
    url = f"http://127.0.0.1:{port}"

    with started([str(programs / "customs"), "web", "--port", str(port)], environ, tmp_path / "log"):
        wait_until(lambda: answers(f"{url}/healthz"), "the web answers")
        page = requests.get(f"{url}/sign-in", headers={"Accept-Language": "zh-CN"}, timeout=30)
        style = requests.get(f"{url}/static/desk.css", timeout=30)

    assert (page.status_code, style.status_code) == (200, 200)
    assert "登录" in page.text


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False
