"""The direction of dependencies as design.md draws it, held against what every file really imports."""

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

# Which modules may not import which, but for the exceptions: prefixes of dotted names.
BARRIERS = {
    "gateway knows WiseCashier and nothing of us": ("customs.gateway", ("customs", "flask"), ("customs.gateway",)),
    "the sandbox takes the table of endpoints and nothing else": (
        "customs.sandbox",
        ("customs",),
        ("customs.sandbox", "customs.gateway.endpoints"),
    ),
    "customs never imports workers": ("customs", ("workers",), ()),
    "nothing of ours imports what tests and benchmarks stand on": ("", ("tests", "bench", "pytest", "hypothesis"), ()),
    "rules and records know no web": (
        "customs.declarations",
        ("customs.web", "customs.payments", "customs.webhooks", "flask", "customs.cli", "customs.app"),
        (),
    ),
    "payments know neither declarations nor the web": (
        "customs.payments",
        ("customs.web", "customs.declarations", "customs.webhooks", "flask", "customs.cli", "customs.app"),
        (),
    ),
    "what the two tell each other knows neither": (
        "customs.payment_facts",
        ("customs.payments", "customs.declarations"),
        (),
    ),
    "the history stands below the features": (
        "customs.history",
        (
            "customs.declarations",
            "customs.payments",
            "customs.webhooks",
            "customs.web",
            "customs.lanes",
            "customs.access",
            "flask",
        ),
        (),
    ),
    "who may do what stands below the features": (
        "customs.access",
        ("customs.declarations", "customs.payments", "customs.webhooks", "customs.web", "customs.lanes", "flask"),
        (),
    ),
    "webhooks know the web only at their door": (
        "customs.webhooks",
        ("customs.web", "flask", "customs.cli", "customs.app", "customs.payments"),
        (),
    ),
    "the lane's rules know no feature": (
        "customs.lanes",
        ("customs.declarations", "customs.payments", "customs.webhooks", "customs.web", "flask"),
        (),
    ),
    "the engine knows nothing of declarations": ("customs.engine", ("customs", "sqlalchemy", "flask"), ()),
    "only the doorbell, doctor and workers know RQ": ("customs", ("rq",), ()),
}
# Doors: thin, and allowed to know the web.
DOORS = {
    "customs.declarations.api",
    "customs.lanes.api",
    "customs.payments.api",
    "customs.payments.return_page",
    "customs.payments.bills_api",
    "customs.webhooks.api",
}
KNOW_RQ = {"customs.doorbell", "customs.doctoring"}
# Settings, a crash point's plan, and processes that hand their environment on to children.
READ_ENVIRONMENT = {"customs.settings", "workers.jobs", "customs.cli.running", "customs.demo"}


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
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in FILES else str(node.module)


@pytest.mark.parametrize(("place", "forbidden", "but"), BARRIERS.values(), ids=BARRIERS)
def test_no_import_goes_against_the_direction(place: str, forbidden: tuple[str, ...], but: tuple[str, ...]):
    against = {
        (name, one)
        for name, tree in FILES.items()
        if within(name, place) and name not in DOORS | KNOW_RQ
        for one in imported(tree)
        if any(within(one, prefix) for prefix in forbidden) and not any(within(one, prefix) for prefix in but)
    }

    assert against == set()


def test_every_barrier_stands_around_something():
    assert all(any(within(name, place) for name in FILES) for place, _, _ in BARRIERS.values())
    assert set(FILES) >= DOORS | KNOW_RQ | READ_ENVIRONMENT


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


@pytest.mark.parametrize("door", sorted(DOORS))
def test_a_door_is_thin(door: str):
    """It reads the request, calls one function, shapes the answer: it decides and writes nothing itself."""
    tree = FILES[door]
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
        "customs.declarations.pushing",
        "customs.payments.desk",
        "customs.webhooks.delivering",
        "customs.sandbox.notifier",
    }


def test_no_file_is_called_after_nothing():
    assert not {"utils", "helpers", "common", "misc"} & {part for name in FILES for part in name.split(".")}


@pytest.mark.parametrize("name", sorted(name for name in FILES if not name.startswith("migrations.versions")))
def test_a_file_begins_with_a_sentence_that_says_why_it_exists(name: str):
    tree = FILES[name]

    assert not tree.body or (ast.get_docstring(tree) or "").strip()
