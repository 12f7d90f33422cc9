"""The README keeps its word: what it names exists, what exists is named, and no file tells of one machine or index."""

import ast
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from customs.app import create_app
from customs.auth.api_keys import create_api_key
from customs.auth.roles import SCOPES
from customs.cli import commands
from customs.config import BY_GATEWAY, Variables, read_settings
from customs.container import Services
from customs.db import database
from customs.declarations.intake.validate import Rejected
from customs.errors import CustomsError
from customs.jobs.failpoints import Failpoints
from customs.site.openapi import examples
from tests import make
from tests.journeys.gateway import running_gateway
from tests.web.page_table import PAGES, SIGNED_IN, UNFINISHED

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
FENCED = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
# What a rule says before the name of what varies: what kind of thing it is.
IN_A_ROUTE = re.compile(r"<(?:[a-z]+:)?")
TYPED_AT_A_PROMPT = [*SPANS, *(line for kind, block in FENCED if kind == "sh" for line in block.splitlines())]

# Typed from the contract, which is kept elsewhere: these names are public.
PUBLIC_VARIABLES = {
    "CUSTOMS_DATABASE_URL",
    "CUSTOMS_REDIS_URL",
    "CUSTOMS_HOME",
    "CUSTOMS_SECRET_KEY",
    "CUSTOMS_PII_KEYS",
    "WISECASHIER_BASE_URL",
    "WISECASHIER_AGENT_NO",
    "WISECASHIER_PRIVATE_KEY_FILE",
    "WISECASHIER_PUBLIC_KEY_FILE",
    "WISECASHIER_VERSION",
    "CUSTOMS_POLL_SECONDS",
    "CUSTOMS_UNKNOWN_GRACE_SECONDS",
    "CUSTOMS_ALIPAY_REPUSH_SECONDS",
    "CUSTOMS_WARN_ONLY_RULES",
    "CUSTOMS_GATEWAY_CONCURRENCY",
    "CUSTOMS_GATEWAY_RATE",
    "CUSTOMS_GATEWAY_TIMEOUT_SECONDS",
}
VARIABLES = {str(field.data_key): (name, field.load_default) for name, field in Variables().fields.items()}
KEPT_IN_A_FILE = ("secret_key", "pii_keys")
# Answered by the renderer for what is no error of ours.
OTHER_PROBLEMS = {("database_unavailable", 503), ("gateway_unavailable", 503)}
OF_COMMANDS_ALONE = {("file_unreadable", 422)}
OF_PAGES_ALONE = {
    ("not_signed_in", 401),
    ("csrf_rejected", 403),
    ("invalid_credentials", 422),
    ("one_time_code_rejected", 422),
    ("login_throttled", 429),
}

WHOEVER = "whoever signed in"
# Nobody of the desk opens it: it stands among the calls.
OF_PAYERS = {"/payments/{payment_id}/return"}

NOT_OURS = {"__pycache__", "results"}
OUTSIDE = re.compile(
    r"pypi\.org|pythonhosted\.org|index-ur[l]|ghcr\.io|quay\.io|gcr\.io|docker\.io|mirrors?\.[a-z]+\.[a-z]"
    r"|/hom[e]/[a-z]|/roo[t]/|/Use[r]s/|/wor[k]/|/mn[t]/|[A-Z]:\\Use[r]s",
)


def table_rows(heading: str) -> list[list[str]]:
    """The cells of the table whose header line begins so."""
    _, _, rest = PROSE.partition(f"\n| {heading} |")
    body = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


def own_files() -> Iterator[Path]:
    """What a fresh clone holds."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and not name.endswith(".egg-info") and (name == ".ci" or not name.startswith("."))
        ]
        # Of a second working tree, .git is a file.
        yield from (Path(folder, name) for name in names if name != ".git")


@pytest.fixture
def services(sqlite_url: str, tmp_path: Path) -> Iterator[Services]:
    """The product on one database: what is documented is the same on the other."""
    environment = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": sqlite_url}
    services = Services(read_settings(make.SECRETS | environment))
    yield services
    services.engine.dispose()


def test_every_variable_is_in_the_table_and_every_row_is_a_variable() -> None:
    documented = [row[0].strip("`") for row in table_rows("variable")]

    assert sorted(documented) == sorted([*VARIABLES, Failpoints.VARIABLE])


def test_the_public_variables_of_the_contract_are_settings() -> None:
    assert set(VARIABLES) >= PUBLIC_VARIABLES


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_default_in_the_table_is_the_one_in_force(variable: str, tmp_path: Path) -> None:
    (cell,) = [row[2] for row in table_rows("variable") if row[0] == f"`{variable}`"]
    name, default = VARIABLES[variable]

    settings = read_settings({"CUSTOMS_HOME": str(tmp_path)})

    in_force = getattr(settings, name)
    first, *_ = [*re.findall(r"`([^`]+)`", cell), ""]
    if name in BY_GATEWAY:
        assert cell == "`{}` (sandbox: `{}`)".format(*map(_shown, BY_GATEWAY[name]))
    elif name in KEPT_IN_A_FILE:
        assert (tmp_path / first).read_text() in (in_force, *in_force)
    elif "in `CUSTOMS_HOME`" in cell:
        assert str(in_force).endswith(f"/{first}")
    else:
        assert first == _shown(default or in_force)


def _shown(value: Any) -> str:
    """A setting as one would write it into the environment."""
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return f"{value:g}" if isinstance(value, (bool, int, float)) else str(value)


def test_every_command_named_exists_with_its_options() -> None:
    unknown = [text for text in TYPED_AT_A_PROMPT for words in _customs_words(text) if not _is_command(words)]

    assert unknown == []


def test_every_command_is_named() -> None:
    named = {words[0] for text in SPANS for words in _customs_words(text) if words}

    assert named >= set(commands.commands)


def _customs_words(text: str) -> Iterator[list[str]]:
    """What follows `customs` where a line calls it."""
    for called in re.findall(r"(?:^|[/ ])customs((?: [^\s&|`]+)+)", text):
        yield str(called).split()


def _is_command(words: list[str]) -> bool:
    command: click.Command = commands
    for word in words:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
        elif isinstance(command, click.Group) or (word.startswith("--") and word not in _options_of(command)):
            return False
    return True


def _options_of(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_every_option_named_on_its_own_exists() -> None:
    subgroups = [one for one in commands.commands.values() if isinstance(one, click.Group)]
    every_command = [command for group in (commands, *subgroups) for command in group.commands.values()]

    options = set().union(*map(_options_of, every_command))

    assert [span for span in SPANS if span.startswith("--") and span.split()[0] not in options] == []


def test_every_file_named_exists() -> None:
    named = [span for span in SPANS if re.fullmatch(r"[\w./-]+(\.(py|md|yml|toml|lock)|/)", span)]

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {word for text in TYPED_AT_A_PROMPT for word in re.findall(r"^make (\w+)", text)}

    assert named >= {"demo", "run", "test", "bench"}
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_route_is_in_a_table_and_every_row_is_a_route(services: Services) -> None:
    calls = {span for row in table_rows("call") for span in re.findall(r"`([A-Z]+ /[^`]*)`", row[0])}
    opened = {f"GET {address}" for row in table_rows("page") for address in re.findall(r"`([^`]+)`", row[1])}

    routes = {
        f"{method} {as_documented(rule.rule)}"
        for rule in create_app(services).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    # What the forms of pages lead to stands on the pages.
    forms = {f"{method} {as_documented(rule)}" for method, rule in PAGES if method == "POST"}
    assert calls | opened == routes - forms
    assert calls & opened == set()


def test_every_page_has_the_scope_that_its_row_says() -> None:
    said = {
        address: scope.strip("`")
        for _, addresses, _, scope in table_rows("page")
        for address in re.findall(r"`([^`]+)`", addresses)
    }

    words = {SIGNED_IN: WHOEVER, UNFINISHED: WHOEVER}
    scopes = {
        as_documented(rule): words.get(scope, scope) for (method, rule), scope in PAGES.items() if method == "GET"
    }
    assert said == {address: scope for address, scope in scopes.items() if address not in OF_PAYERS}


def test_every_role_has_the_scopes_that_its_row_says() -> None:
    said = {row[0].strip("`"): set(re.findall(r"`([^`]+)`", row[2])) for row in table_rows("role")}

    assert said == {str(role): set(map(str, scopes)) for role, scopes in SCOPES.items()}


def as_documented(rule: str) -> str:
    return IN_A_ROUTE.sub("{", rule).replace(">", "}")


def test_the_table_of_problems_is_what_the_api_may_answer() -> None:
    documented = {(code, int(row[1])) for row in table_rows("code") for code in re.findall(r"`([a-z_]+)`", row[0])}

    # An error that nothing raises promises nothing; below 500 the caller can do something about it.
    elsewhere = "".join(file.read_text() for file in (ROOT / "customs").rglob("*.py") if file.name != "errors.py")
    known: list[CustomsError] = [*(error() for error in CustomsError.__subclasses__()), Rejected("", ())]
    raised = [error for error in known if re.search(rf"\b{type(error).__name__}\b", elsewhere)]
    ours = {(error.code, error.status) for error in raised if error.status < 500} - OF_COMMANDS_ALONE - OF_PAGES_ALONE
    assert documented == ours | OTHER_PROBLEMS


def test_every_metric_named_is_measured(services: Services) -> None:
    named = {span for span in SPANS if re.fullmatch(r"customs_[a-z_]+", span)}

    measured = create_app(services).test_client().get("/metrics").text

    families = set(re.findall(r"^# TYPE (\w+)", measured, re.MULTILINE))
    assert named == families


def test_the_calls_shown_are_accepted_as_they_stand_one_after_the_other(services: Services) -> None:
    """Whoever is new tries those of the README, of the guide and of the API's page on one desk."""
    (call,) = [block for kind, block in FENCED if kind == "sh" and "curl" in block]
    with services.transaction() as db:
        key = create_api_key(db, "a reader", sandbox=True, scopes=(), merchants=(), now=database.now(db))
    client = create_app(services).test_client()
    guide = html.unescape(client.get("/docs/guide").text)
    of_the_guide = re.findall(r"/api/v1/batches -d '\n(.*?)'", guide, re.DOTALL)[0]
    in_python = ast.literal_eval(re.findall(r"^order = (\{.*?^\})", guide, re.DOTALL | re.MULTILINE)[0])
    of_the_page = [json.dumps(example) for example in examples.BATCHES.values()]
    calls = [call.split("'")[1], of_the_guide, json.dumps({"declarations": [in_python]}), *of_the_page]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    answers = [client.post(re.findall(r"http://[^/]+(\S+)", call)[0], data=one, headers=headers) for one in calls]

    assert [(answer.status_code, answer.json["counts"]["total"]) for answer in answers] == [(202, 1)] * len(calls)


def test_the_example_of_the_client_runs(tmp_path: Path) -> None:
    (example,) = [block for kind, block in FENCED if kind == "python"]

    with running_gateway(tmp_path) as gateway:
        ran = subprocess.run(
            [sys.executable, "-c", example.replace("http://127.0.0.1:8900", gateway.url)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (ran.returncode, ran.stdout.split()[:1]) == (0, ["UNDECLARED"]), ran.stderr


def test_no_file_names_an_index_a_registry_or_somebodys_folder() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in own_files()
        for match in OUTSIDE.finditer(file.read_bytes().decode(errors="replace"))
    ]

    assert found == []


def test_the_lock_holds_exact_versions_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    required = [line for line in lock.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    wrong = [
        line[:60] for line in required if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert required
    assert wrong == []
    assert "://" not in lock
