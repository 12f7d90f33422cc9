# Everything starts here: each target sets the project up in .venv when needed, then does its one job.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test bench chaos simulation mutants lint types setup

setup: .venv/.ready

.venv/.ready: requirements.lock requirements-dev.lock pyproject.toml setup.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: setup
	$(BIN)/customs up

demo: setup
	$(BIN)/customs demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

test: lint types
	PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/python -m pytest -p xdist -p _hypothesis_pytestplugin -n 3 --dist loadfile --no-loadscope-reorder

bench: setup
	$(BIN)/python -m bench

chaos: setup
	PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/python -m pytest -p xdist -m chaos tests/chaos

# Such as `make simulation SEEDS=1-5000`; `SEEDS=17` prints the story of one.
SEEDS ?= 1-500
DATABASE ?= sqlite

simulation: setup
	$(BIN)/python -m tests.simulation $(SEEDS) --database $(DATABASE)

mutants: setup
	$(BIN)/python -m tests.mutants
