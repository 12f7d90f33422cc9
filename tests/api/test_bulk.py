"""Bulk: packed bodies with a cap that no bomb gets over, limits that are stated, and what became of each row."""

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from customs.web.json_body import LARGEST_BODY
from tests import make
from tests.api.conftest import is_problem


def send(erp, data: bytes, encoding: str | None = "gzip", path: str = "/batches"):
    headers = {"Content-Encoding": encoding} if encoding is not None else {}
    return erp.call("POST", path, data=data, content_type="application/json", headers=headers)


def batch(*rows: Any) -> bytes:
    return json.dumps({"declarations": rows or [make.declaration_row()]}, ensure_ascii=False).encode()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip", "x-gzip"])
@pytest.mark.parametrize("path", ["/batches", "/declarations/preflight"])
def test_a_packed_body_is_read_as_if_it_were_not(erp, path: str, encoding: str):
    assert send(erp, gzip.compress(batch()), encoding, path).status_code in (200, 202)


@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_a_body_that_is_not_packed_needs_no_word(erp, encoding: str | None):
    assert send(erp, batch(), encoding).status_code == 202


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "gzip, br", "x" * 200])
def test_other_ways_to_pack_are_refused_by_name(erp, encoding: str):
    answer = send(erp, batch(), encoding)

    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_encoding")
    assert is_problem(answer)
    assert "gzip" in answer.json["detail"]


COMPLETE = gzip.compress(b'{"declarations": []}')
BROKEN = {
    "not gzip": b'{"declarations": []}',
    "nothing": b"",
    "cut off": COMPLETE[:-9],
    "a wrong checksum": COMPLETE[:-8] + b"\x00" * 4 + COMPLETE[-4:],
    "a wrong size": COMPLETE[:-4] + b"\x01\x00\x00\x00",
    "two files": COMPLETE + COMPLETE,
    "something behind": COMPLETE + b"x",
    "zlib": zlib.compress(b"{}"),
}


@pytest.mark.parametrize("packed", BROKEN.values(), ids=BROKEN)
def test_what_is_not_one_complete_gzip_file_is_unreadable(erp, packed: bytes):
    answer = send(erp, packed)

    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    pieces = [packer.compress(b"0" * 2**20) for _ in range(size >> 20)]
    return b"".join([*pieces, packer.flush()])


HONEST = bomb(256 << 20)
# A file may say that it is small.
LYING = HONEST[:-4] + b"\x10\x00\x00\x00"


@pytest.mark.parametrize("packed", [HONEST, LYING], ids=["honest", "lying"])
def test_a_bomb_is_refused_and_never_unpacked(erp, packed: bytes):
    tracemalloc.start()

    answer = send(erp, packed)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")
    assert "32 MiB" in answer.json["detail"]
    assert peak < (4 << 20 if packed is HONEST else 3 * LARGEST_BODY)


def test_what_unpacks_to_just_the_cap_is_read(erp):
    answer = send(erp, gzip.compress(b" " * (LARGEST_BODY - 2) + b"{}", 1))

    assert answer.status_code == 422


# What became of each row.


def test_rows_are_distinguished_where_asked(erp):
    old = make.declaration_row()
    erp.hand_in(old)
    rows = [make.declaration_row(), old, make.declaration_row(office="ATLANTIS"), make.declaration_row()]

    answer = erp.post("/batches?results=rows", {"declarations": rows, "on_error": "accept_valid"})

    results = answer.json["results"]
    assert answer.status_code == 202
    assert [one["index"] for one in results] == [0, 1, 2, 3]
    assert [one["status"] for one in results] == ["accepted", "replayed", "rejected", "accepted"]
    assert results[2]["declaration_id"] is None
    for row, one in zip(rows, results, strict=True):
        if one["declaration_id"]:
            assert erp.get(f"/declarations/{one['declaration_id']}").json["payment_no"] == row["payment_no"]


def test_without_being_asked_the_answer_is_as_ever(erp):
    assert "results" not in erp.hand_in(make.declaration_row())


@pytest.mark.parametrize("query", ["results=all", "results=", "result=rows", "results=rows&x=1"])
def test_a_misspelt_wish_is_refused_and_nothing_stored(erp, query: str):
    answer = erp.post(f"/batches?{query}", {"declarations": [make.declaration_row()]})

    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "parameter_invalid")
    assert erp.get("/batches").json["data"] == []


def test_the_limit_of_rows_is_stated(erp):
    answer = erp.post("/batches", {"declarations": [{}] * 10_001})

    assert (answer.status_code, "10,000" in answer.json["detail"]) == (422, True)
