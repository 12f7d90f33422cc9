"""Packages of the wheel: `workers` and `migrations` go within `customs`, for their names are anybody's.

Everything else is in pyproject.toml, which cannot say this.
"""

from setuptools import find_packages, setup

BUNDLED = find_packages(include=["workers", "migrations", "migrations.*"])

setup(
    packages=[*find_packages(include=["customs", "customs.*"]), *(f"customs.bundled.{name}" for name in BUNDLED)],
    package_dir={f"customs.bundled.{name}": name.replace(".", "/") for name in BUNDLED},
)
