"""What a recipe is: which files somebody edits who adds one thing, and what they write there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """Write `text` into a file: after the only line that holds `after`, instead of `instead`, or as a new file."""

    file: str
    text: str
    after: str = ""
    instead: str = ""

    def apply(self, root: Path) -> None:
        """Carry the edit out in the copy at `root`; whatever it looks for has to stand there exactly once."""
        file = root / self.file
        if not self.after and not self.instead:
            assert not file.exists(), f"{self.file} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
            return
        source = file.read_text(encoding="utf-8")
        wanted = self.after or self.instead
        assert source.count(wanted) == 1, f"{self.file}: {source.count(wanted)} times {wanted!r}"
        if self.after:
            line_end = source.index("\n", source.index(wanted) + len(wanted)) + 1
            edited = source[:line_end] + self.text + source[line_end:]
        else:
            edited = source.replace(wanted, self.text)
        # The copy shares its files with the original until somebody writes to one.
        file.unlink()
        file.write_text(edited, encoding="utf-8")


@dataclass(frozen=True)
class Recipe:
    """One thing to add. `most_files`: how many files whoever adds it may have to touch."""

    name: str
    most_files: int
    edits: Sequence[Edit]

    @property
    def files(self) -> set[str]:
        return {edit.file for edit in self.edits}
