"""What a health check found: a verdict, and sentences for whoever reads them at a terminal or on a page."""

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


@dataclass(frozen=True)
class Examined:
    """One part: `verdict` is ok, note or wrong; what was found, and what to do, in words for any language."""

    part: str
    verdict: str
    said: Said
    advice: Said = NOTHING

    @property
    def found(self) -> str:
        return str(self.said)

    @property
    def mend(self) -> str:
        return str(self.advice)
