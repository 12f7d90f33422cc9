"""What is wrong at one place of a batch and what to do: the shape that preflight and sheets share."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a declaration out; a warning asks a person to look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """`pointer` is a JSON pointer into the request; `row` (1-based, header included) and `column` are a sheet's.

    `detail` and `action` never repeat a name or an ID number.
    """

    pointer: str
    row: int | None
    column: str | None
    code: str
    severity: Severity
    detail: str
    action: str

    def as_dict(self) -> dict[str, str | int | None]:
        return asdict(self)
