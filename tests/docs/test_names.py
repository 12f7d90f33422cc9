"""Whatever the documents name exists: commands, options, files, targets, metrics; and every command is named."""

import re
from collections.abc import Iterator

import click
import pytest

from customs.app import create_app
from customs.cli import commands
from customs.container import Services
from tests.docs.documents import ARCHITECTURE, COMMAND_LINES, COMMANDS, DOCUMENTS, OPERATIONS, ROOT, SPANS, Document
from tests.test_layers import FLOORS


def test_every_command_named_exists_with_its_options() -> None:
    unknown = [text for text in COMMAND_LINES for words in _customs_words(text) if not _is_command(words)]

    assert unknown == []


def test_every_command_is_in_the_table() -> None:
    named = {words[0] for row in COMMANDS.table("command") for words in _customs_words(row[0]) if words}

    assert named >= set(commands.commands)


def _customs_words(text: str) -> Iterator[list[str]]:
    """Yield what follows `customs` where a line calls it."""
    for called in re.findall(r"(?:^|[/ `])customs((?: [^\s&|`]+)+)", text):
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

    options = set().union(*map(_options_of, every_command)) | {"--help"}

    assert [span for span in SPANS if span.startswith("--") and span.split()[0] not in options] == []


def test_every_file_named_exists() -> None:
    named = [span for span in SPANS if re.fullmatch(r"[\w./-]+(\.(py|md|yml|toml|lock|po)|/)", span)]

    assert named
    assert [name for name in named if not name.startswith("/") and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(document: Document) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.prose):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (document.path.parent / file) if file else document.path
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, link


def test_every_document_is_linked_from_the_readme_or_its_index() -> None:
    linked = {
        (document.path.parent / link.partition("#")[0]).resolve()
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)\s]+)\)", document.prose)
    }

    assert [one.path for one in DOCUMENTS[1:] if one.path not in linked] == []


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {word for text in COMMAND_LINES for word in re.findall(r"^make (\w+)", text)}

    assert named >= {"demo", "run", "test", "bench"}
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_metric_named_is_measured_and_every_one_measured_is_named(services: Services) -> None:
    named = {span for span in OPERATIONS.spans if re.fullmatch(r"customs_[a-z_]+", span)}

    measured = create_app(services).test_client().get("/metrics").text

    families = set(re.findall(r"^# TYPE (\w+)", measured, re.MULTILINE))
    assert named == families


def test_the_readme_is_two_screens() -> None:
    """It leads to docs/, which hold the rest."""
    assert len(DOCUMENTS[0].text.splitlines()) <= 100


def test_the_picture_of_floors_is_the_one_that_imports_keep_to() -> None:
    (picture,) = [block for kind, block in ARCHITECTURE.fenced if block.startswith("cli/")]
    drawn = [set(line.replace(".py", "").replace("/", "").split()) for line in picture.splitlines() if line[0] != " "]

    assert drawn == [set(floor) | ({"..workers"} if "cli" in floor else set()) for floor in FLOORS]
