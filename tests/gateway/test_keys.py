"""Keys as people hand them over: every form of the right key works, every other file is called what it is."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from customs.gateway import Signer, UnreadableKey, Verifier

KEYS = Path(__file__).parent / "keys"
PEM = (KEYS / "pkcs1.pem").read_bytes()
KEY = load_pem_private_key(PEM, None)
PUBLIC = KEY.public_key()
SECRET = BestAvailableEncryption(b"secret")
OPEN = NoEncryption()
PKCS1, PKCS8, OPENSSH = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8, PrivateFormat.OpenSSH
SPKI = PublicFormat.SubjectPublicKeyInfo
# Beside its private key in one file, which works on either side.
CERTIFICATE = (KEYS / "self_signed.pem").read_bytes().partition(b"-----BEGIN PRIVATE")[0]
CURVE = ec.generate_private_key(ec.SECP256R1())


def bare(der: bytes) -> bytes:
    return base64.b64encode(der)


PRIVATE = {
    "PKCS#1 PEM": PEM,
    "PKCS#8 PEM": KEY.private_bytes(Encoding.PEM, PKCS8, OPEN),
    "OpenSSH PEM": KEY.private_bytes(Encoding.PEM, OPENSSH, OPEN),
    "PKCS#1 DER": KEY.private_bytes(Encoding.DER, PKCS1, OPEN),
    "PKCS#8 DER": KEY.private_bytes(Encoding.DER, PKCS8, OPEN),
    "the base64 of PKCS#1": bare(KEY.private_bytes(Encoding.DER, PKCS1, OPEN)),
    "the base64 of PKCS#8, in lines": base64.encodebytes(KEY.private_bytes(Encoding.DER, PKCS8, OPEN)),
    "lines of Windows, with a mark in front": b"\xef\xbb\xbf" + PEM.replace(b"\n", b"\r\n"),
    "UTF-16 of Windows": PEM.decode().encode("utf-16"),
    "one line": PEM.replace(b"\n", b" "),
    "line ends as a shell writes them": PEM.strip().replace(b"\n", b"\\n"),
    "words around it": b"our key:\n" + PEM + b"\nkeep it\n",
}
NO_PRIVATE = {
    "nothing": (b"", "no private key can be read"),
    "a text": (b"no key", "no private key can be read"),
    "half of one": (PEM[:500], "no private key can be read"),
    "with a passphrase, PKCS#1": (KEY.private_bytes(Encoding.PEM, PKCS1, SECRET), "has a passphrase"),
    "with a passphrase, PKCS#8": (KEY.private_bytes(Encoding.PEM, PKCS8, SECRET), "has a passphrase"),
    "with a passphrase, DER": (KEY.private_bytes(Encoding.DER, PKCS8, SECRET), "has a passphrase"),
    "the public one": ((KEYS / "public_spki.pem").read_bytes(), "this is a public key"),
    "the public one, PKCS#1": ((KEYS / "public_pkcs1.pem").read_bytes(), "this is a public key"),
    "the public one, bare": (bare(PUBLIC.public_bytes(Encoding.DER, SPKI)), "this is a public key"),
    "a certificate": (CERTIFICATE, "or a certificate"),
    "a key of another kind": (CURVE.private_bytes(Encoding.PEM, PKCS8, OPEN), "is not an RSA key"),
}
PUBLIC_FORMS = {
    "SPKI PEM": (KEYS / "public_spki.pem").read_bytes(),
    "PKCS#1 PEM": (KEYS / "public_pkcs1.pem").read_bytes(),
    "DER": PUBLIC.public_bytes(Encoding.DER, SPKI),
    "bare base64": bare(PUBLIC.public_bytes(Encoding.DER, SPKI)),
}
NO_PUBLIC = {
    "nothing": (b"", "no public key can be read"),
    "a text": (b"no key", "no public key can be read"),
    "the private one": (PEM, "this is a private key"),
    "the private one, bare": (PRIVATE["the base64 of PKCS#8, in lines"], "this is a private key"),
    "the private one with a passphrase": (KEY.private_bytes(Encoding.PEM, PKCS8, SECRET), "this is a private key"),
    "a key of another kind": (CURVE.public_key().public_bytes(Encoding.PEM, SPKI), "is not an RSA key"),
}


@pytest.mark.parametrize("content", PRIVATE.values(), ids=PRIVATE)
def test_every_form_of_our_key_signs(content: bytes):
    assert Signer(content).sign(b"a text") == Signer(PEM).sign(b"a text")


@pytest.mark.parametrize(("content", "message"), NO_PRIVATE.values(), ids=NO_PRIVATE)
def test_what_cannot_sign_is_called_what_it_is(content: bytes, message: str):
    with pytest.raises(UnreadableKey, match=message):
        Signer(content)


@pytest.mark.parametrize("content", PUBLIC_FORMS.values(), ids=PUBLIC_FORMS)
def test_every_form_of_their_key_verifies(content: bytes):
    assert Verifier(content).verify(b"a text", Signer(PEM).sign(b"a text"))


def test_their_key_is_taken_out_of_a_certificate():
    assert not Verifier(CERTIFICATE).verify(b"a text", Signer(PEM).sign(b"another"))


@pytest.mark.parametrize(("content", "message"), NO_PUBLIC.values(), ids=NO_PUBLIC)
def test_what_cannot_verify_is_called_what_it_is(content: bytes, message: str):
    with pytest.raises(UnreadableKey, match=message) as refused:
        Verifier(content)

    assert not re.search("[A-Za-z0-9+/]{40}", str(refused.value))
