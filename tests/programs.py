"""Programs that some tests need beside Python: in continuous integration they have to be there."""

import os
import shutil

import pytest


def program(name: str, package: str) -> str:
    """Return the path of a program; without it the test is skipped, and in continuous integration it fails."""
    found = shutil.which(name)
    if found is None:
        sentence = f"NOT TESTED: no {name} here (Debian package {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
