"""Child process that opens a workbook, so that a hostile one harms nothing but this process.

XLSX on stdin; JSON on stdout: `{"sheets": [{"name", "rows": [[cell, ...], ...], "hidden": [row, ...]}]}`, or
`{"refused": sentence}`.
Run by path, isolated, with little to import: it starts in the time of a bare interpreter.
"""

import io
import json
import re
import resource
import sys
import zipfile
from typing import Any
from xml.etree import ElementTree

MEMORY = 768 * 1024 * 1024
CPU_SECONDS = 20
MOST_ENTRIES = 1_000
LARGEST_UNPACKED = 128 * 1024 * 1024
LARGEST_RATIO = 200
# What is small may be packed as tightly as it likes.
RATIO_FROM = 8 * 1024 * 1024
LARGEST_GRID = 2_000_000
LARGEST_ANSWER = 64 * 1024 * 1024

SAVE_AS = "Save it as an Excel workbook (.xlsx) or as CSV."
FOREIGN = {
    "xl/vbaProject.bin": "The workbook holds macros.",
    "xl/workbook.bin": "The file is a binary workbook (.xlsb).",
    "content.xml": "The file is an OpenDocument file.",
    "word/document.xml": "The file is a Word document.",
}
TOO_LARGE = "The workbook unpacks to more than a batch can need. Copy its rows into a new workbook and send that."

CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
ROW_NUMBER = re.compile(rb"""\br=["']([0-9]{1,7})["']""")
HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
TYPE = re.compile(rb"""\bt=["'](\w+)["']""")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# A plain search for these costs nothing; most workbooks hold none.
FORMULA_SIGNS = (b"<f", b":f", b't="e"', b"t='e'")
RESULT = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]+)<")


class WorkbookError(Exception):
    """The workbook is refused; the message says why and what to do."""


def limit_this_process() -> None:
    """Limit memory and CPU time, and write no core dump, which would hold names."""
    limits = [(resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_CORE, 0)]
    if sys.platform == "linux":
        limits.append((resource.RLIMIT_AS, MEMORY))
    for what, limit in limits:
        resource.setrlimit(what, (limit, limit))


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse archives that are not plain workbooks or unpack to too much, by their table of contents."""
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    for name, what in FOREIGN.items():
        if name in names:
            raise WorkbookError(f"{what} {SAVE_AS}")
    if "[Content_Types].xml" not in names:
        raise WorkbookError(f"The file is a ZIP archive, not a workbook. {SAVE_AS}")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    tight = unpacked > RATIO_FROM and unpacked > LARGEST_RATIO * packed
    if len(entries) > MOST_ENTRIES or unpacked > LARGEST_UNPACKED or tight:
        raise WorkbookError(TOO_LARGE)
    if b"macroEnabled" in archive.read("[Content_Types].xml"):
        raise WorkbookError(f"{FOREIGN['xl/vbaProject.bin']} {SAVE_AS}")


def with_slashes(archive: zipfile.ZipFile) -> tuple[bytes, zipfile.ZipFile]:
    """Rewrite an archive whose entries have backslashes in their paths, as some programs on Windows make them."""
    if len(archive.infolist()) > MOST_ENTRIES or sum(one.file_size for one in archive.infolist()) > LARGEST_UNPACKED:
        raise WorkbookError(TOO_LARGE)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(rewritten, "w") as copy:
        for entry in archive.infolist():
            copy.writestr(entry.filename.replace("\\", "/"), archive.read(entry), zipfile.ZIP_DEFLATED)
    return rewritten.getvalue(), zipfile.ZipFile(rewritten)


def part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the archive's entry that holds a sheet."""
    # The limits of this process bound what hostile XML can do.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            link = next(value for key, value in element.items() if key.endswith("}id"))
            target = targets[link]
            return target[1:] if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet)


def mark_formulas(rows: list[list[Any]], xml: bytes) -> None:
    """Mark cells whose formula has no value: calamine would show them blank."""
    if not any(sign in xml for sign in FORMULA_SIGNS):
        return
    for cell in CELL.finditer(xml):
        attributes, body = cell.groups()
        place, kind, result = PLACE.search(attributes), TYPE.search(attributes), RESULT.search(body)
        word = kind.group(1) if kind else b"n"
        if word == b"e":
            mark = {"error": result.group(1).decode("utf-8", "replace") if result else "#ERROR"}
        # A formula that ends in empty text is typed "str" and really blank.
        elif FORMULA.search(body) and result is None and word != b"str":
            mark = {"uncalculated": "="}
        else:
            continue
        if place is not None:
            put(rows, int(place.group(2)) - 1, column_number(place.group(1)), mark)


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def put(rows: list[list[Any]], row: int, column: int, mark: dict[str, str]) -> None:
    if (row + 1) * (column + 1) > LARGEST_GRID:
        raise WorkbookError(TOO_LARGE)
    rows.extend([] for _ in range(len(rows), row + 1))
    rows[row].extend("" for _ in range(len(rows[row]), column + 1))
    rows[row][column] = mark


def read(content: bytes) -> dict[str, Any]:
    """Return the visible sheets that hold something, in the workbook's order, with their hidden rows by number."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    archive = zipfile.ZipFile(io.BytesIO(content))
    if any("\\" in entry.filename for entry in archive.infolist()):
        content, archive = with_slashes(archive)
    check_archive(archive)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if not names:
        raise WorkbookError("The workbook shows no sheet. Put the rows on a visible sheet.")
    sheets, cells = [], 0
    for name in names:
        sheet = book.get_sheet_by_name(name)
        last_row, last_column = sheet.end or (0, 0)
        cells += (last_row + 1) * (last_column + 1)
        if cells > LARGEST_GRID:
            raise WorkbookError(TOO_LARGE)
        rows = sheet.to_python(skip_empty_area=False)
        xml = archive.read(part_of(archive, name))
        mark_formulas(rows, xml)
        if rows:
            sheets.append({"name": name, "rows": rows, "hidden": hidden_rows(xml)})
    return {"sheets": sheets}


def hidden_rows(xml: bytes) -> list[int]:
    """Return the 1-based numbers of rows that are hidden, by hand or by a filter."""
    if b"hidden" not in xml:
        return []
    rows = (row.group(1) for row in ROW.finditer(xml))
    return [int(number.group(1)) for row in rows if HIDDEN.search(row) and (number := ROW_NUMBER.search(row))]


def main() -> None:
    limit_this_process()
    try:
        answer = json.dumps(read(sys.stdin.buffer.read()), default=lambda moment: {"date": str(moment)})
        if len(answer) > LARGEST_ANSWER:
            raise WorkbookError(TOO_LARGE)
    except WorkbookError as refused:
        answer = json.dumps({"refused": str(refused)})
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()
