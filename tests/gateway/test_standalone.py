"""The client serves someone who wants nothing but a client: it brings neither web framework nor database."""

import subprocess
import sys


def test_importing_the_client_imports_nothing_of_the_product():
    code = "import sys, customs.gateway; print(*sys.modules)"

    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert not {"flask", "sqlalchemy", "redis", "rsa"} & set(modules)
    assert {m for m in modules if m.startswith("customs")} == {
        m for m in modules if m == "customs" or m.partition(".")[2].partition(".")[0] == "gateway"
    }
