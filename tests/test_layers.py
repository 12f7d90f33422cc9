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

WEB = ("customs.web", "flask", "flask_babel", "customs.cli", "customs.app")
# Declarations, and what is built on them.
DECLARING = ("customs.declarations", "customs.sheets", "customs.drafts", "customs.cases")
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
    "rules and records know no web, and nothing that is built on them": (
        "customs.declarations",
        (*WEB, "customs.payments", "customs.webhooks", "customs.drafts", "customs.cases"),
        (),
    ),
    "spreadsheets know what a declaration is, and nothing else": (
        "customs.sheets",
        (*WEB, "customs.payments", "customs.webhooks", "customs.drafts", "customs.cases", "sqlalchemy"),
        (),
    ),
    "drafts are declarations on their way in": (
        "customs.drafts",
        (*WEB, "customs.payments", "customs.webhooks", "customs.cases"),
        (),
    ),
    "cases are declarations that somebody has to decide on": (
        "customs.cases",
        (*WEB, "customs.payments", "customs.webhooks", "customs.drafts"),
        (),
    ),
    "payments know neither declarations nor the web": (
        "customs.payments",
        (*WEB, *DECLARING, "customs.webhooks"),
        (),
    ),
    "what the two tell each other knows neither": (
        "customs.payment_facts",
        ("customs.payments", *DECLARING),
        (),
    ),
    "the history stands below the features": (
        "customs.history",
        (*WEB, *DECLARING, "customs.payments", "customs.webhooks", "customs.lanes", "customs.access"),
        (),
    ),
    "who may do what stands below the features": (
        "customs.access",
        (*WEB, *DECLARING, "customs.payments", "customs.webhooks", "customs.lanes"),
        (),
    ),
    "webhooks know the web only at their door": (
        "customs.webhooks",
        (*WEB, "customs.payments"),
        (),
    ),
    "the lane's rules know no feature": (
        "customs.lanes",
        (*WEB, *DECLARING, "customs.payments", "customs.webhooks"),
        (),
    ),
    "the engine knows nothing of declarations": (
        "customs.engine",
        ("customs", "sqlalchemy", "flask"),
        ("customs.clock",),
    ),
    "only the doorbell and workers know RQ": ("customs", ("rq",), ()),
}
# Doors: thin, and allowed to know the web.
DOORS = {
    "customs.access.key_pages",
    "customs.access.pages",
    "customs.access.people_pages",
    "customs.cases.advising",
    "customs.cases.case_decision_pages",
    "customs.cases.case_pages",
    "customs.cases.correction_pages",
    "customs.cases.review_pages",
    "customs.declarations.api",
    "customs.declarations.pages.batches",
    "customs.declarations.pages.bulk",
    "customs.declarations.pages.decisions",
    "customs.declarations.pages.declarations",
    "customs.declarations.pages.filters",
    "customs.declarations.pages.listing",
    "customs.declarations.pages.offices",
    "customs.declarations.pages.registrations",
    "customs.declarations.pages.result_words",
    "customs.declarations.pages.saying",
    "customs.declarations.pages.workbench",
    "customs.drafts.draft_page",
    "customs.drafts.import_files",
    "customs.drafts.import_pages",
    "customs.drafts.import_words",
    "customs.drafts.mending_pages",
    "customs.lanes.api",
    "customs.lanes.pages",
    "customs.payments.api",
    "customs.payments.bill_pages",
    "customs.payments.bill_words",
    "customs.payments.bills_api",
    "customs.payments.collect_pages",
    "customs.payments.page_forms",
    "customs.payments.pages",
    "customs.payments.rate_pages",
    "customs.payments.story",
    "customs.payments.ways",
    "customs.web.admin_pages",
    "customs.web.audit_pages",
    "customs.web.developer_pages",
    "customs.web.docs",
    "customs.web.error_pages",
    "customs.web.queue_pages",
    "customs.web.request_pages",
    "customs.web.search_pages",
    "customs.web.static_files",
    "customs.webhooks.api",
    "customs.webhooks.pages",
}
# They have addresses and do more than a door may: one asks whether the database answers, the other writes the log.
NO_THIN_DOORS = {"customs.web.health", "customs.web.request_log"}
KNOW_RQ = {"customs.doorbell"}
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


def test_whatever_has_an_address_is_a_door():
    """Whoever makes a blueprint; the sandbox is another application."""
    with_addresses = {
        name
        for name, tree in FILES.items()
        if not within(name, "customs.sandbox") and any(map(makes_a_blueprint, ast.walk(tree)))
    }

    assert with_addresses - NO_THIN_DOORS <= DOORS
    assert with_addresses >= NO_THIN_DOORS


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
        "workers.__main__",
    }


def test_no_file_is_called_after_nothing():
    assert not {"utils", "helpers", "common", "misc"} & {part for name in FILES for part in name.split(".")}


@pytest.mark.parametrize("name", sorted(name for name in FILES if not name.startswith("migrations.versions")))
def test_a_file_begins_with_a_sentence_that_says_why_it_exists(name: str):
    tree = FILES[name]

    assert not tree.body or (ast.get_docstring(tree) or "").strip()
