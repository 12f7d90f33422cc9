"""The signature is the sample's, byte for byte: against openssl, `rsa`, and a port of the sample."""

import base64
from pathlib import Path

import pytest
import rsa
from hypothesis import given
from hypothesis import strategies as st

from customs.gateway import Signer, UnreadableKey, Verifier, notification_text, signing_text

KEYS = Path(__file__).parent / "keys"
GOLDEN_PARAMS = {
    "payment_no": "2018051816320384498567689",
    "name": "欧阳·娜~娜 \U00020bb7+%&=/",
    "out_order_no": "A-1_2.3",
    "duty": "0",
    "cert_id": "510921199308772318",
}
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"


def sample(params: dict[str, str], timestamp: str) -> bytes:
    """The document's data_sign up to the signature, with Python 2's quote written out."""

    def python2_quote(text: str) -> str:
        return "".join(chr(b) if b in UNRESERVED else f"%{b:02X}" for b in text.encode("utf-8"))

    pairs = "&".join("=".join(map(python2_quote, item)) for item in sorted(params.items()))
    return pairs.encode("utf-8") + b"," + timestamp.encode()


def test_the_golden_text_is_signed_as_openssl_signs_it(signer):
    golden = (KEYS / "golden_text.txt").read_bytes()

    text = signing_text(GOLDEN_PARAMS, "1498138187")

    assert text == golden
    assert signer.sign(text) == (KEYS / "golden_signature.txt").read_text()


@given(st.dictionaries(st.text("abc_z~é", min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_is_encoded_as_the_sample_encodes_it(params):
    assert signing_text(params, "1") == sample(params, "1")


def test_two_libraries_make_the_same_bytes(signer):
    other = rsa.PrivateKey.load_pkcs1((KEYS / "pkcs1.pem").read_bytes())
    text = signing_text({"name": "~ ·𠮷"}, "1498138187")

    signature = base64.b64encode(rsa.sign(text, other, "SHA-256")).decode()

    assert signer.sign(text) == signature


def test_both_forms_of_the_private_key_sign_alike(signer):
    other = Signer((KEYS / "pkcs8.pem").read_bytes())

    assert other.sign(b"text") == signer.sign(b"text")


@pytest.mark.parametrize("form", ["public_spki.pem", "public_pkcs1.pem"])
def test_both_forms_of_the_public_key_verify(signer, form):
    verifier = Verifier((KEYS / form).read_bytes())
    signature = signer.sign(b"text")

    assert verifier.verify(b"text", signature)
    assert not verifier.verify(b"text!", signature)


@pytest.mark.parametrize("nonsense", ["", "!", "AAAA", "ü", "=" * 9])
def test_what_is_no_signature_does_not_verify(nonsense):
    verifier = Verifier((KEYS / "public_spki.pem").read_bytes())

    assert not verifier.verify(b"text", nonsense)


def test_a_notification_signs_raw_values():
    assert notification_text({"b": "扫 ~", "a": "1"}, "9") == "a=1&b=扫 ~,9".encode()


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(UnreadableKey, match=r"absent\.pem"):
        Signer.from_file(tmp_path / "absent.pem")
