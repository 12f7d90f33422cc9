"""A sentence for whoever reads it now at a terminal, or later on a page in another language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    """English with places such as %(count)d for its facts; translators see the text as it stands here."""

    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.facts if self.facts else self.text

    def of(self, **facts: Any) -> "Said":
        """The same sentence with these facts."""
        return Said(self.text, facts)


NOTHING = Said("")
