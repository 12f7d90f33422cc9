"""What the sandbox lets in and what it refuses, as strictly as the document says (2, 3)."""

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from customs.sandbox.calls import signed_text

from .caller import ALIPAY, BUYER, SPLIT, WECHAT, WECHAT_SPLIT, order, sorted_pairs


def test_a_signed_call_with_rare_characters_is_let_in(sandbox: Any) -> None:
    params = order(number="1~") | BUYER
    params["out_order_no"] = "1|2*@-_"

    status, body = sandbox.caller.declare(WECHAT, **params)

    assert (status, body["meta"]["success"]) == (200, True)


def test_the_signed_text_is_the_documents() -> None:
    params = {"name": "李~雷 ·𠮷+", "a.b-c_d": "1&2=3"}

    text = signed_text(params, "1700000000")

    assert text == (b"a.b-c_d=1%262%3D3&name=%E6%9D%8E%7E%E9%9B%B7%20%C2%B7%F0%A0%AE%B7%2B,1700000000")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Version": "2.0"}, 400),
        ({"AgentNo": "999999"}, 403),
        ({"Signature": "AAAA"}, 401),
        ({"Signature": "not base64"}, 401),
        ({"Signature": ""}, 401),
        ({"Timestamp": ""}, 411),
        ({"Timestamp": "12.5"}, 411),
        ({"Timestamp": "1"}, 411),
    ],
)
def test_a_wrong_header_is_refused(sandbox: Any, headers: dict[str, str], status: int) -> None:
    answered, body = sandbox.caller.send("POST", WECHAT, order(), **headers)

    assert (answered, body["meta"]["status_code"], body["meta"]["success"]) == (status, status, False)
    assert sandbox.ledger()["filings"] == []


@pytest.mark.parametrize(("away", "status"), [(300, 200), (-300, 200), (302, 411), (-302, 411)])
def test_the_timestamp_may_be_300_seconds_away_in_both_directions(sandbox: Any, away: int, status: int) -> None:
    clock = sandbox.clock
    sandbox.caller.now = lambda: clock() + away

    answered, _ = sandbox.caller.declare(WECHAT, **order())

    assert answered == status


def test_a_signature_over_other_values_is_refused_and_counted(sandbox: Any) -> None:
    signed_for_another = sandbox.caller.headers(order(number="2"))

    status, _ = sandbox.caller.send("POST", WECHAT, order(number="1"), **signed_for_another)

    assert status == 401
    assert sandbox.ledger()["refused_signatures"] == 1


def test_a_signature_with_another_hash_is_refused(sandbox: Any) -> None:
    timestamp = str(int(sandbox.clock()))
    text = f"{sorted_pairs(order())},{timestamp}".encode()
    raw = sandbox.caller.key.sign(text, padding.PKCS1v15(), hashes.SHA1())

    status, _ = sandbox.caller.send("POST", WECHAT, order(), Signature=base64.b64encode(raw).decode())

    assert status == 401


@pytest.mark.parametrize(
    ("channel", "changes", "named"),
    [
        (WECHAT, {"colour": "red"}, "colour"),
        (WECHAT, {"merchant_customs_name": "x"}, "merchant_customs_name"),
        (WECHAT, {"duty": ""}, "duty"),
        (WECHAT, {"duty": "1.5"}, "duty"),
        (WECHAT, {"action_type": "DELETE"}, "action_type"),
        (WECHAT, {"customs": "ZONGSHU"}, "customs"),
        (WECHAT, {"out_order_no": "x" * 33}, "out_order_no"),
        (WECHAT, {"cert_id": "510921199308772318"}, "cert_id"),
        (WECHAT, SPLIT, "transport_amount"),
        (WECHAT, WECHAT_SPLIT | {"product_amount": "23.23"}, "sub_order_amount"),
        (WECHAT, WECHAT_SPLIT | {"product_amount": "1e1"}, "product_amount"),
        (ALIPAY, {"customs": "SHENZHEN"}, "customs"),
        (ALIPAY, {"sub_order_no": "S1"}, "sub_order_amount"),
        (ALIPAY, {"duty": "0"}, "duty"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(
    sandbox: Any, channel: str, changes: dict[str, str], named: str
) -> None:
    status, body = sandbox.caller.declare(channel, **(order(channel) | changes))

    assert (status, body["meta"]["status_code"]) == (400, 400)
    assert named in body["meta"]["message"]
    assert sandbox.ledger()["refused_parameters"] == 1


@pytest.mark.parametrize("missing", ["out_order_no", "payment_no", "customs", "mch_customs_no"])
def test_a_missing_parameter_is_refused_by_its_name(sandbox: Any, missing: str) -> None:
    params = order()
    del params[missing]

    status, body = sandbox.caller.declare(WECHAT, **params)

    assert status == 400
    assert missing in body["meta"]["message"]


@pytest.mark.parametrize("numbers", [{}, {"payment_no": "P1", "out_order_no": "1"}])
def test_a_query_names_exactly_one_number(sandbox: Any, numbers: dict[str, str]) -> None:
    status, body = sandbox.caller.query(WECHAT, customs="SHENZHEN", **numbers)

    assert status == 400
    assert "exactly one of" in body["meta"]["message"]


def test_a_parameter_sent_twice_is_refused(sandbox: Any) -> None:
    headers = sandbox.caller.headers(order())

    reply = sandbox.client.post(
        WECHAT,
        data=sorted_pairs(order()) + "&customs=SHENZHEN",
        headers=headers,
        content_type="application/x-www-form-urlencoded",
    )

    assert (reply.status_code, reply.json["meta"]["message"]) == (400, "sent more than once: customs")


def test_parameters_in_a_posts_address_are_refused(sandbox: Any) -> None:
    reply = sandbox.client.post(f"{WECHAT}?{sorted_pairs(order())}", headers=sandbox.caller.headers(order()))

    assert reply.status_code == 400


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", WECHAT, 405)])
def test_what_the_document_does_not_know_is_refused_in_its_shape(
    sandbox: Any, method: str, path: str, status: int
) -> None:
    reply = sandbox.client.open(path, method=method)

    assert (reply.status_code, reply.json["meta"]["success"]) == (status, False)


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
def test_both_forms_of_a_public_key_are_read(
    make_sandbox: Callable[..., Any], agent_key: rsa.RSAPrivateKey, tmp_path: Path, form: PublicFormat
) -> None:
    file = tmp_path / "public.pem"
    file.write_bytes(agent_key.public_key().public_bytes(Encoding.PEM, form))
    sandbox = make_sandbox(agent_public_key=file)

    status, _ = sandbox.caller.declare(WECHAT, **order())

    assert status == 200


def test_a_signature_made_by_openssl_is_accepted(make_sandbox: Callable[..., Any], tmp_path: Path) -> None:
    private, public, text = tmp_path / "private.pem", tmp_path / "public.pem", tmp_path / "text"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    sandbox = make_sandbox(agent_public_key=public)
    timestamp = str(int(sandbox.clock()))
    text.write_bytes(f"{sorted_pairs(order())},{timestamp}".encode())
    signed = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", private, text], check=True, capture_output=True
    ).stdout

    status, _ = sandbox.caller.send("POST", WECHAT, order(), Signature=base64.b64encode(signed).decode())

    assert status == 200
