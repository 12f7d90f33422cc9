"""The document's own sample (2.2, 4.2) in Python 3: one call after the other, as a first integration does it."""

import base64
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import requests
import rsa

from bench.comparison import seconds_of
from customs.gateway import Filing


def sample_rate(url: str, private_key: bytes, filings: Sequence[Filing]) -> float:
    """Return declarations a second."""

    def declare_all() -> None:
        for filing in filings:
            assert _declare(f"{url}/wechatpay/declaration", private_key, filing)["meta"]["success"]

    return len(filings) / seconds_of(declare_all)


def _declare(url: str, private_key: bytes, filing: Filing) -> Mapping[str, Mapping[str, object]]:
    data = {
        "out_order_no": filing.out_order_no,
        "payment_no": filing.payment_no,
        "customs": filing.customs,
        "mch_customs_no": filing.mch_customs_no,
        "action_type": "ADD",
        **filing.identity,
    }
    timestamp = str(time.time())
    headers = {
        "AgentNo": "SANDBOX",
        "Version": "1.0",
        "Signature": _data_sign(data, timestamp, private_key),
        "Timestamp": timestamp,
    }
    answer: Mapping[str, Mapping[str, object]] = requests.post(url, data, headers=headers, timeout=30).json()
    return answer


def _data_sign(data: Mapping[str, str], timestamp: str, private_key: bytes) -> str:
    text = "&".join("=".join(quote(word, safe="") for word in pair) for pair in sorted(data.items()))
    key = rsa.PrivateKey.load_pkcs1(private_key)
    return base64.b64encode(rsa.sign(f"{text},{timestamp}".encode(), key, "SHA-256")).decode()
