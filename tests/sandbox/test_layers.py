"""The sandbox shares nothing with the side it judges but the table of endpoints."""

import ast
from pathlib import Path

import customs.sandbox

ALLOWED = ("customs.sandbox", "customs.gateway.endpoints")


def test_the_sandbox_imports_of_customs_only_the_endpoints() -> None:
    folder = Path(customs.sandbox.__file__).parent

    imported = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}

    assert {name for name in imported if name.startswith("customs") and not name.startswith(ALLOWED)} == set()
