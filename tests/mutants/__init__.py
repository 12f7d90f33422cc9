"""Mistakes that somebody could make in the engine, each of which the tests have to notice: `make mutants`."""
