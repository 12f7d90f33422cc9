"""What the doctor found out about one part of the desk."""

from dataclasses import dataclass

from customs.said import NOTHING, Said


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
