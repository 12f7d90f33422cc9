"""The direction of dependencies as the floors of the house draw it, held against what every file really imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(file.read_text())
    for folder in ("customs", "workers", "migrations")
    for file in sorted((ROOT / folder).rglob("*.py"))
}

# From the roof down: a package imports those below it, and of its own floor those that stand further right.
FLOORS = (
    ("cli",),
    ("app", "site"),
    ("ops", "container"),
    ("imports", "review", "webhooks", "reconciliation"),
    ("declarations",),
    ("payments",),
    ("lanes",),
    ("web",),
    ("auth", "events"),
    ("audit",),
    ("jobs", "stats", "privacy", "spreadsheets", "text_rules", "db"),
    ("payments_port",),
    ("sandbox", "gateway"),
    ("config", "logging_setup", "validation", "errors", "ids", "timestamps"),
)
ORDER = [package for floor in FLOORS for package in floor]
ROOT_MODULES = {
    "__main__",
    "app",
    "config",
    "container",
    "errors",
    "ids",
    "logging_setup",
    "payments_port",
    "timestamps",
    "validation",
}
# Whom some packages must not see although they stand above them, and the only ones that others may see.
BARRIERS = {
    "gateway knows WiseCashier and nothing of us": ("customs.gateway", ("customs", "flask"), ("customs.gateway",)),
    "the sandbox takes the table of endpoints and nothing else": (
        "customs.sandbox",
        ("customs",),
        ("customs.sandbox", "customs.gateway.endpoints"),
    ),
    "declarations and payments share an order number, not a class": (
        "customs.declarations",
        ("customs.payments",),
        (),
    ),
    "customs never imports workers": ("customs", ("workers",), ()),
    "nothing of ours imports what tests and benchmarks stand on": ("", ("tests", "bench", "pytest", "hypothesis"), ()),
    "the dispatcher knows nothing of what it dispatches": (
        "customs.jobs.dispatcher",
        ("customs", "sqlalchemy", "flask"),
        ("customs.timestamps",),
    ),
    "rules know neither database nor web": (
        "customs.declarations.intake.rules",
        ("flask", "customs.web", "customs.db"),
        (),
    ),
    "only the wake-up and workers know RQ": ("customs", ("rq",), ()),
}
KNOW_RQ = {"customs.jobs.wakeup"}
# They have addresses and do more than a view may: one asks whether the database answers, the other writes the log.
NO_THIN_VIEWS = {"customs.site.health_views", "customs.web.request_logging"}
# Settings, a failpoint's plan, and processes that hand their environment on to children.
READ_ENVIRONMENT = {"customs.config", "workers.jobs", "customs.cli.processes", "customs.ops.demo"}


def within(name: str, prefix: str) -> bool:
    return not prefix or name == prefix or name.startswith(f"{prefix}.")


def imported(tree: ast.Module) -> Iterator[str]:
    """What a file imports, anywhere in it; `from a import b` counts as a.b where that is a module, else as a."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                complete = f"{node.module}.{alias.name}"
                yield complete if complete in FILES else str(node.module)


def package_of(name: str) -> str:
    return name.split(".")[1]


def against_the_direction() -> set[tuple[str, str]]:
    """Every import of a package by one that does not stand above it."""
    return {
        (name, one)
        for name, tree in FILES.items()
        if name.startswith("customs.") and name != "customs.__main__"
        for one in imported(tree)
        if one.startswith("customs.") and package_of(one) != package_of(name)
        if ORDER.index(package_of(one)) < ORDER.index(package_of(name))
    }


def test_no_package_imports_one_above_it():
    assert against_the_direction() == set()


def test_every_package_has_its_floor():
    """Only ten modules stand at the root, every other is in a package."""
    packages = {package_of(name) for name in FILES if name.startswith("customs.")}

    assert packages - {"__main__"} == set(ORDER)
    assert {name for name in packages if f"customs.{name}" in FILES and is_module(name)} == ROOT_MODULES


def is_module(package: str) -> bool:
    return (ROOT / "customs" / f"{package}.py").exists()


@pytest.mark.parametrize(("place", "forbidden", "but"), BARRIERS.values(), ids=BARRIERS)
def test_no_barrier_is_crossed(place: str, forbidden: tuple[str, ...], but: tuple[str, ...]):
    across = {
        (name, one)
        for name, tree in FILES.items()
        if within(name, place) and name not in KNOW_RQ
        for one in imported(tree)
        if any(within(one, prefix) for prefix in forbidden) and not any(within(one, prefix) for prefix in but)
    }

    assert across == set()


def test_every_barrier_stands_around_something():
    assert all(any(within(name, place) for name in FILES) for place, _, _ in BARRIERS.values())
    assert set(FILES) >= NO_THIN_VIEWS | KNOW_RQ | READ_ENVIRONMENT


def makes_a_blueprint(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Blueprint"


def test_only_settings_and_those_who_hand_it_on_read_the_environment():
    reading = {name for name, tree in FILES.items() if any(map(reads_environment, ast.walk(tree)))}

    assert reading == READ_ENVIRONMENT


def reads_environment(node: ast.AST) -> bool:
    ways = {"environ", "environb", "getenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and bool(ways & {alias.name for alias in node.names})
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ways
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


VIEWS = {
    name
    for name, tree in FILES.items()
    if not within(name, "customs.sandbox") and any(map(makes_a_blueprint, ast.walk(tree)))
}


@pytest.mark.parametrize("view", sorted(VIEWS - NO_THIN_VIEWS))
def test_a_view_is_thin(view: str):
    """It reads the request, calls one function, shapes the answer: it decides and writes nothing itself."""
    tree = FILES[view]
    writes = {"insert", "update", "delete", "add", "add_all", "flush", "commit", "execute"}

    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    longest = max(len(node.body) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))

    assert called & writes == set()
    assert longest <= 8


def test_nobody_catches_everything_but_the_call_that_must_come_to_an_end():
    catching = {
        name
        for name, tree in FILES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    }

    assert catching <= {
        "customs.declarations.pushes.handler",
        "customs.payments.tasks.handler",
        "customs.webhooks.delivery_handler",
        "customs.sandbox.notifications",
        "workers.__main__",
    }


def test_no_file_is_called_after_nothing():
    assert not {"utils", "helpers", "common", "misc"} & {part for name in FILES for part in name.split(".")}


@pytest.mark.parametrize("name", sorted(name for name in FILES if not name.startswith("migrations.versions")))
def test_a_file_begins_with_a_sentence_that_says_why_it_exists(name: str):
    tree = FILES[name]

    assert not tree.body or (ast.get_docstring(tree) or "").strip()
