"""A file of registrations: read row by row, every spoilt cell named, all of it put on file or nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.declarations.registrations import errors_in, put_registrations
from customs.declarations.schemas import RegistrationsIn
from customs.errors import ErrorDetail, ValidationFailed
from customs.imports.columns import BY_HEADER, BY_SPELLING, read_header
from customs.imports.rows import Row, read_row
from customs.spreadsheets.reader import read_grid, unreadable
from customs.validation import placed_errors

REQUIRED = ("merchant_no", "channel", "office", "mch_customs_no")
COLUMNS = (*REQUIRED, "merchant_customs_name")
SAMPLE_ROWS = (
    ("M100", "微信支付", "广州黄埔", "123456789BTW", ""),
    ("M100", "支付宝", "深圳", "123456789BTW", "深圳市禾木优选供应链有限公司"),
)
POINTER = re.compile(r"/registrations/([0-9]{1,9})(?:/(.+))?")


@dataclass(frozen=True)
class Place:
    """Place of an error in a file: the number of the row, and the column by its English name."""

    row: int | None
    column: str | None


@dataclass(frozen=True)
class RegistrationFile:
    """Registrations by the columns' English names, the numbers of their rows, and what a spreadsheet has spoilt."""

    rows: Sequence[Mapping[str, str]]
    numbers: Sequence[int]
    spoilt: Sequence[ErrorDetail] = ()

    def put(self, db: Session, caller: Caller, audit: AuditTrail, now: datetime) -> int:
        """Put all of them on file and return their number. ValidationFailed: nothing was changed.

        No spoilt cell is let through: a wrong number would stop every parcel of the merchant at that office.
        """
        misshapen = list(self._misshapen())
        # Rules are for rows whose shape is known.
        if errors := [*self.spoilt, *(misshapen or errors_in(self.rows, caller))]:
            raise ValidationFailed("registrations were not taken; nothing was changed", errors=errors)
        return put_registrations(db, self.rows, caller, audit, now)

    def place_of(self, pointer: str) -> Place:
        """Return the place of an error's pointer; no row where it is about the file."""
        match = POINTER.fullmatch(pointer)
        if match is None or int(match[1]) >= len(self.numbers):
            return Place(None, None)
        return Place(self.numbers[int(match[1])], match[2])

    def _misshapen(self) -> Iterator[ErrorDetail]:
        try:
            RegistrationsIn().load({"registrations": self.rows})
        except ValidationError as error:
            yield from (ErrorDetail(f"/{place}", one.code, str(one)) for place, one in placed_errors(error.messages))


def read_registration_file(content: bytes, filename: str) -> RegistrationFile:
    """Read the registrations in a CSV or XLSX file; FileUnreadable when it holds anything else."""
    grid = read_grid(content, filename, BY_SPELLING)
    header = read_header(grid.header, REQUIRED)
    strangers = [
        *(word for _, word in header.unknown),
        *(word for column, word in header.spelt.items() if column.header not in COLUMNS),
    ]
    if strangers:
        detail = f"These columns do not belong to registrations: {', '.join(strangers)}. Keep {', '.join(COLUMNS)}."
        raise unreadable("registration_columns", detail)
    rows = [read_row(number, cells, header) for number, cells in grid.rows]
    return RegistrationFile(
        rows=[{name: str(value) for name, value in row.shared.items()} for row in rows],
        numbers=[row.number for row in rows],
        spoilt=[error for index, row in enumerate(rows) for error in _spoilt_cells(index, row)],
    )


def sample_file() -> bytes:
    """Make a CSV file to begin with, as Excel opens it: with a byte order mark, and headers in Chinese."""
    rows = ([BY_HEADER[name].chinese for name in COLUMNS], *SAMPLE_ROWS)
    return "".join(f"{','.join(row)}\r\n" for row in rows).encode("utf-8-sig")


def _spoilt_cells(index: int, row: Row) -> Iterator[ErrorDetail]:
    for column, flaw in row.flaws:
        place = f"/registrations/{index}/{column.header}" if column else f"/registrations/{index}"
        yield ErrorDetail(place, flaw.code, f"row {row.number}: {flaw.detail}")
