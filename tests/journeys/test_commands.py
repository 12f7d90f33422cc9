"""A clerk at a terminal: submit, status, redeclare, modify, with the exit codes and the JSON that scripts rely on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import make
from tests.journeys.deployment import Deployment
from tests.patience import PATIENCE_SECONDS

DONE, FINDINGS, NEEDS_REVIEW = 0, 2, 3


@pytest.fixture
def working(small: Deployment) -> Iterator[Deployment]:
    """A desk with one worker and nothing else: the database suffices."""
    small.start("worker")
    yield small


def customs(deployment: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "customs", *words],
        env=deployment.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def orders_file(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder / "orders.json"
    file.write_text(json.dumps({"declarations": rows}))
    return str(file)


def test_a_file_is_submitted_and_waited_for_to_its_end(working: Deployment, tmp_path: Path) -> None:
    rows = [make.declaration_row(parts=2), make.declaration_row("alipay")]

    ended = customs(working, "submit", orders_file(tmp_path, *rows), "--wait", "--json")

    batch = json.loads(ended.stdout)
    assert (ended.returncode, batch["state"], batch["counts"]["SUCCESS"]) == (DONE, "DONE", 2)
    part = rows[0]["sub_orders"][1]["sub_order_no"]
    (found,) = json.loads(customs(working, "status", part, "--json").stdout)
    assert (found["payment_no"], found["state"]) == (rows[0]["payment_no"], "SUCCESS")


def test_a_file_with_a_fault_is_refused_by_name_and_nothing_is_stored(small: Deployment, tmp_path: Path) -> None:
    wrong = make.declaration_row(sub_orders=[make.sub_order_row(amount="10.01")])

    refused = customs(small, "submit", orders_file(tmp_path, make.declaration_row(), wrong), "--wait", "--json")

    (finding,) = json.loads(refused.stdout)["findings"]
    assert refused.returncode == FINDINGS
    assert finding["pointer"].startswith("/declarations/1/sub_orders/0")
    assert finding["action"]
    assert small.count() == 0


def test_what_needs_review_is_said_by_the_exit_code_and_mended_by_commands(working: Deployment, tmp_path: Path) -> None:
    refused = make.declaration_row(out_order_no=make.number("FAIL-"), sub_orders=[make.sub_order_row()])
    lost = make.declaration_row(out_order_no=make.number("EXCEPT-"))
    part = refused["sub_orders"][0]["sub_order_no"]

    submitted = customs(working, "submit", orders_file(tmp_path, refused, lost), "--wait", "--json")
    corrections = {"amount": "12.00", "transport_amount": "0", "product_amount": "12.00"}
    sets = ["duty=7", *(f"sub_orders.{part}.{name}={value}" for name, value in corrections.items())]
    words = [word for one in sets for word in ("--set", one)]
    modified = customs(working, "modify", refused["out_order_no"], *words, "--reason", "the amount was wrong")
    pushed_again = customs(working, "redeclare", lost["payment_no"], "--reason", "customs lost it")
    working.wait_until_drained()

    assert submitted.returncode == NEEDS_REVIEW
    assert json.loads(submitted.stdout)["counts"]["needs_review"] == 2
    assert (modified.returncode, pushed_again.returncode) == (0, 0), modified.stderr + pushed_again.stderr
    assert (working.state_of(refused), working.state_of(lost)) == ("SUCCESS", "SUCCESS")
    (filing,) = [filing for filing in working.gateway.filings() if filing["sub_order_no"] == part]
    assert (filing["content"]["sub_order_amount"], filing["content"]["duty"], filing["modifies"]) == ("12.00", "7", 1)


def test_a_fail_is_not_pushed_again_as_it_is_and_a_number_nobody_has_is_told(working: Deployment) -> None:
    row = make.declaration_row(out_order_no=make.number("FAIL-"))
    working.hand_in(row)
    working.wait_until_drained()

    again = customs(working, "redeclare", row["payment_no"], "--reason", "once more")
    nobody = customs(working, "status", "P-NOBODY")

    assert again.returncode == nobody.returncode == 1
    assert "modify" in again.stderr
    assert "P-NOBODY" in nobody.stderr
