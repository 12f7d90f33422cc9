"""One row of the catalogue of codes."""

from typing import NamedTuple


class Words(NamedTuple):
    """In one language: what it means, and what to do."""

    meaning: str
    action: str


class Entry(NamedTuple):
    """A code with its words."""

    code: str
    english: Words
    chinese: Words

    def as_json(self) -> dict[str, object]:
        return {
            "code": self.code,
            "type": f"/errors/{self.code}",
            "en": self.english._asdict(),
            "zh": self.chinese._asdict(),
        }
