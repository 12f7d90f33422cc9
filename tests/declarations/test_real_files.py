"""Files as ERPs, shops and spreadsheets really export them, through every door: command line, API and desk."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from customs.auth.api_keys import create_api_key
from customs.cli.declarations import submit
from customs.container import Services
from customs.db import database
from customs.declarations.fields import Part
from customs.errors import CustomsError
from customs.imports.columns import BY_SPELLING
from tests import make
from tests.conftest import SIGNING_KEY
from tests.imports.importing import field, hand_in
from tests.web.visiting import People, text_of

FILES = Path(__file__).with_name("files")
DONE, FINDINGS = 0, 2
# By the row: the column, and what is wrong there.
Errors = Mapping[int, tuple[str, str]]

NAME, CERT_ID, ORDER, PAYMENT = "buyer_name", "cert_id", "out_order_no", "payment_no"
REGISTRATION, SUB_ORDER = "mch_customs_no", "sub_order_no"
AMOUNTS = {(name, "amount_invalid") for name in ("amount", "transport_amount", "product_amount")}
# Of each file the rows that are refused, each with its column and cause; all its others are taken.
REFUSED: dict[str, Errors] = {
    "01-residence-permit-hmt.csv": {},
    "02-id-county-not-in-table.csv": {},
    "04-foreigner-residence-card.csv": {},
    "08-masked-name-and-id.csv": {
        2: (NAME, "masked"),
        3: (NAME, "masked"),
        4: (NAME, "masked"),
        5: (CERT_ID, "masked"),
        6: (NAME, "encrypted"),
    },
    "10-name-dot-variants.csv": {},
    "12-name-invisible-middle.csv": {
        # What stands around the names of rows 3 and 5 is taken off.
        2: (NAME, "name_invalid"),
        4: (NAME, "name_invalid"),
        6: (NAME, "title_in_name"),
        7: (NAME, "phone_in_name"),
    },
    "29-digits-rounded-to-zeros.csv": {2: (PAYMENT, "digits_lost"), 3: (PAYMENT, "digits_lost")},
    "31-placeholders.csv": {
        2: (PAYMENT, "placeholder"),
        3: (PAYMENT, "placeholder"),
        4: (ORDER, "placeholder"),
        5: (REGISTRATION, "registration_missing"),
        6: (REGISTRATION, "registration_missing"),
        7: (PAYMENT, "placeholder"),
        9: (REGISTRATION, "registration_missing"),
        10: (ORDER, "placeholder"),
    },
    "62-amounts-without-sub-order.csv": {
        2: (SUB_ORDER, "sub_order_no_missing"),
        3: (SUB_ORDER, "sub_order_no_missing"),
    },
    "83-pandas-floats.csv": {
        2: (ORDER, "number_invalid"),
        3: (PAYMENT, "digits_lost"),
        4: (PAYMENT, "digits_lost"),
    },
}
# What is worth a look in a row that is taken.
WARNED: dict[str, Errors] = {
    "10-name-dot-variants.csv": dict.fromkeys(range(3, 8), (NAME, "wrong_dot")),
    "29-digits-rounded-to-zeros.csv": {4: (ORDER, "digits_doubtful")},
}
# What a file leaves blank by a word, a program has to leave out; nothing is taken off what a program sends.
REFUSED_IN_JSON: dict[str, Errors] = {
    "31-placeholders.csv": {
        **REFUSED["31-placeholders.csv"],
        **dict.fromkeys((5, 6, 9), (REGISTRATION, "placeholder")),
    },
    "12-name-invisible-middle.csv": {
        **REFUSED["12-name-invisible-middle.csv"],
        **dict.fromkeys((3, 5), (NAME, "name_invalid")),
    },
}
# In these rows every cell is such a word.
WORDS_ALONE = {"31-placeholders.csv": {8: {(NAME, "placeholder"), (CERT_ID, "placeholder")}, 11: AMOUNTS}}
UNREADABLE = {
    "53-two-encodings-joined.csv": "CSV UTF-8",
    "63b-json-gbk.json": "not UTF-8",
    "82-json-utf16.json": "not UTF-8",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def content(file: str) -> bytes:
    return (FILES / file).read_bytes()


def environment_of(services: Services) -> dict[str, str]:
    """What a command reads to work where these services do."""
    home = services.settings.home
    return make.SECRETS | {
        "CUSTOMS_HOME": str(home),
        "CUSTOMS_DATABASE_URL": services.engine.url.render_as_string(hide_password=False),
        "CUSTOMS_REDIS_URL": f"unix://{home}/nobody.sock",
        "WISECASHIER_BASE_URL": "http://127.0.0.1:9",
        "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
    }


def handed_in(file: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> Result:
    """How `customs submit` ends."""
    for name, value in environment_of(services).items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(submit, [str(FILES / file), "--json"])


def submitted(file: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[str, Any]]:
    """The same: its exit code, and what it says in JSON."""
    ended = handed_in(file, services, monkeypatch)
    # What is logged goes before it.
    _, begins, rest = ended.stdout.partition("{\n")
    return ended.exit_code, json.loads(begins + rest) if begins else {}


def rows_as_json(file: str) -> list[dict[str, Any]]:
    """The rows as a program would send them that cleans nothing."""
    rows = csv.DictReader(io.StringIO(content(file).decode("utf-8-sig"), newline=""))
    return [_as_json(row) for row in rows]


def _as_json(row: Mapping[str, str]) -> dict[str, Any]:
    parts: dict[Part, dict[str, Any]] = {part: {} for part in Part}
    for word, value in row.items():
        if value:
            column = BY_SPELLING[word]
            parts[column.part][column.name] = value
    order = parts[Part.ORDER] | {"channel": "wechatpay", "office": "HANGZHOU"}
    buyer = {"buyer": parts[Part.BUYER]} if parts[Part.BUYER] else {}
    return order | buyer | ({"sub_orders": [parts[Part.SUB_ORDER]]} if parts[Part.SUB_ORDER] else {})


def reported(findings: Iterable[Mapping[str, Any]], severity: str) -> dict[int, set[tuple[str, str]]]:
    """Columns and codes by the row of a file; of JSON, by the row that it would stand in."""
    found: dict[int, set[tuple[str, str]]] = {}
    for one in findings:
        if one["severity"] == severity:
            _, _, index, *path = one["pointer"].split("/")
            column = {"name": NAME}.get(path[-1], path[-1])
            found.setdefault(one["row"] or int(index) + 2, set()).add((column, one["code"]))
    return found


def expected(errors: Errors) -> dict[int, set[tuple[str, str]]]:
    return {row: {place} for row, place in errors.items()}


@pytest.mark.parametrize("file", REFUSED)
def test_the_command_line_takes_what_is_right_and_names_the_rest(
    file: str, services: Services, monkeypatch: pytest.MonkeyPatch
):
    code, shown = submitted(file, services, monkeypatch)

    assert code == (FINDINGS if REFUSED[file] else DONE)
    assert reported(shown["findings"], "error") == expected(REFUSED[file])
    if not REFUSED[file]:
        assert reported(shown["findings"], "warning") == expected(WARNED.get(file, {}))


@pytest.mark.parametrize("file", REFUSED)
def test_the_api_says_the_same_of_the_same_rows(file: str, services: Services):
    with services.transaction() as db:
        key = create_api_key(db, "an ERP", sandbox=True, scopes=(), merchants=(), now=database.now(db))
    client = People(services).app.test_client()

    answer = client.post(
        "/api/v1/declarations/preflight",
        json={"declarations": rows_as_json(file)},
        headers={"Authorization": f"Bearer {key}"},
    )

    findings = answer.json["findings"]
    alone = WORDS_ALONE.get(file, {})
    assert reported(findings, "error") == expected(REFUSED_IN_JSON.get(file, REFUSED[file])) | alone
    assert reported(findings, "warning") == expected(WARNED.get(file, {}))


@pytest.mark.parametrize("file", REFUSED)
def test_the_desk_shows_each_cause_at_its_cell_and_opens_the_draft_again(file: str, services: Services):
    clerk = People(services).signed_in("clerk", language="zh_CN")

    draft = hand_in(clerk, content(file), file).location
    page, again = clerk.get(draft), clerk.get(f"{draft}?show=rest")

    assert (page.status_code, again.status_code) == (200, 200)
    for row, (column, _) in REFUSED[file].items():
        assert "aria-invalid" in field(page, row, column)
    assert page.text.count("aria-invalid") == len(REFUSED[file])


@pytest.mark.parametrize(("file", "words"), UNREADABLE.items())
def test_bytes_that_would_become_other_peoples_names_are_refused(
    file: str, words: str, services: Services, monkeypatch: pytest.MonkeyPatch
):
    ended = handed_in(file, services, monkeypatch)

    assert ended.exit_code == 1
    assert isinstance(ended.exception, CustomsError)
    assert words in str(ended.exception)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("06-id-spaces-fullwidth-homoglyph.csv", "“Х” (U+0425)"),
        ("10-name-dot-variants.csv", "“•” (U+2022) → “·” (U+00B7)"),
        ("62-amounts-without-sub-order.csv", "未拆单：清空子订单金额、物流费、商品价格；已拆单：补上子订单号"),
        ("53-two-encodings-joined.csv", "文件中混有 UTF-8 和其他编码"),
    ],
)
def test_the_desk_says_what_to_do_in_the_clerks_words(file: str, words: str, services: Services):
    clerk = People(services).signed_in("clerk", language="zh_CN")

    answer = hand_in(clerk, content(file), file)
    page = clerk.get(answer.location) if answer.location else answer

    assert words in text_of(page)


def test_lost_digits_of_a_workbook_are_refused_and_plain_numbers_warned_of(
    services: Services, monkeypatch: pytest.MonkeyPatch
):
    code, shown = submitted("67-numbers-as-numbers.xlsx", services, monkeypatch)

    assert code == FINDINGS
    assert {error for found in reported(shown["findings"], "error").values() for _, error in found} == {"digits_lost"}


def test_json_with_a_byte_order_mark_is_taken(services: Services, monkeypatch: pytest.MonkeyPatch):
    assert submitted("63-json-bom.json", services, monkeypatch)[0] == DONE
