"""README and docs/ as tests read them: their prose, their tables, their blocks of code, what they name."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Document:
    """One file of documentation. `fenced`: the kind and the text of each block of code."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text()

    @property
    def fenced(self) -> list[tuple[str, str]]:
        return re.findall(r"^```(\w+)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    @property
    def prose(self) -> str:
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def spans(self) -> list[str]:
        """What stands in backticks."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    def table(self, heading: str) -> list[list[str]]:
        """The cells of the table whose header line begins so."""
        _, _, rest = self.prose.partition(f"\n| {heading} |")
        body = rest.partition("\n\n")[0].splitlines()[2:]
        return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


README, CHANGELOG = Document(ROOT / "README.md"), Document(ROOT / "CHANGELOG.md")
API, ARCHITECTURE, COMMANDS, CONFIGURATION, GATEWAY_CLIENT, OPERATIONS, PAGES, SECURITY = (
    Document(ROOT / "docs" / f"{name}.md")
    for name in (
        *("api", "architecture", "commands", "configuration"),
        *("gateway-client", "operations", "pages", "security"),
    )
)
# The changelog is left out: it names what is no more.
DOCUMENTS = [README, *(Document(path) for path in sorted((ROOT / "docs").rglob("*.md")))]
SPANS = [span for document in DOCUMENTS for span in document.spans]
# What a reader may type at a prompt.
COMMAND_LINES = [
    *SPANS,
    *(line for document in DOCUMENTS for kind, block in document.fenced if kind == "sh" for line in block.splitlines()),
]
